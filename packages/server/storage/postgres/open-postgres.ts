import type { Clocks, Timers } from '@rescind/protocol'
import { type Storage, StorageRefused } from '../storage.ts'
import { connect, type DatabaseAddress, withClient } from './connections.ts'
import { migrate } from './migrations.ts'
import { PostgresStorage } from './postgres-storage.ts'
import { refusal } from './refusal.ts'

/** How a PostgreSQL database is used. */
export interface PostgresOptions extends DatabaseAddress {
  /** Whether nodes tell each other of new entries by LISTEN and NOTIFY; polling is enough. */
  readonly listen: boolean
}

interface PostgresDeps {
  readonly clocks: Clocks
  readonly timers: Timers
  /** Something went wrong that is tried again. */
  readonly onTrouble: (error: unknown) => void
}

/**
 * Connects to a database and brings its schema up to date, which is made when it is missing.
 *
 * @throws StorageRefused when it cannot be used: not reached, not allowed, not durable, a standby, not of UTF-8, or written
 *   by a newer version
 */
export async function openPostgres(options: PostgresOptions, deps: PostgresDeps): Promise<Storage> {
  const { schema, listen } = options
  const connections = connectOrRefuse(options, deps.onTrouble)
  try {
    await withClient(connections.shared, (client) => migrate(client, schema, deps.clocks))
    return new PostgresStorage({ ...deps, connections, schema, listen })
  } catch (error) {
    await connections.end()
    throw refusal(error)
  }
}

/** @throws StorageRefused when the URL is none */
export function connectOrRefuse(address: DatabaseAddress, onTrouble: (error: unknown) => void) {
  try {
    return connect(address, onTrouble)
  } catch (cause) {
    throw new StorageRefused(
      'DATABASE_URL cannot be used; it must be like postgres://user:password@host:5432/database.',
      {
        cause,
      },
    )
  }
}
