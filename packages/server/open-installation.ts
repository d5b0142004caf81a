import { randomUUID } from 'node:crypto'
import { Unavailable } from '@rescind/protocol'
import { LogMismatch } from '@rescind/verifier/core'
import type { Logger } from 'pino'
import type { Config } from './config.ts'
import { type FirstTokens, install } from './install.ts'
import { clocks, newId, timers } from './machine.ts'
import { loadMasterKey, type ServiceKeys } from './master-key.ts'
import { refusedStart, StartRefused } from './start-refused.ts'
import { openPostgres } from './storage/postgres/open-postgres.ts'
import { refusal } from './storage/postgres/refusal.ts'
import { UnexpectedResult } from './storage/sql/statement.ts'
import { openSqlite } from './storage/sqlite/open-sqlite.ts'
import { type Installation, type Storage, StorageRefused } from './storage/storage.ts'

/** An opened database, and the keys that go with it: everything but the network. */
export interface OpenedInstallation {
  readonly storage: Storage
  readonly installation: Installation
  readonly keys: ServiceKeys
  /** Only when this was the first start. */
  readonly firstTokens: FirstTokens | undefined
}

/**
 * Opens the database, and sets it up when it is new.
 *
 * @throws StartRefused with one sentence for a person
 */
export async function openInstallation(config: Config, logger: Logger): Promise<OpenedInstallation> {
  const storage = await openStorage(config, logger)
  try {
    const existing = await storage.read.installation()
    const keys = loadMasterKey(config.dataDir, config.masterKey, existing === undefined)
    if (existing !== undefined) return { storage, installation: existing, keys, firstTokens: undefined }
    const firstTokens = await installUnlessDone(storage, keys, config)
    const installation = await storage.read.installation()
    if (installation === undefined) throw new Error('The first start left no installation behind.')
    return { storage, installation, keys, firstTokens }
  } catch (error) {
    await storage.close()
    throw refusedStart(error)
  }
}

/** Other services may be started at the same time on the same database: one of them sets it up. */
async function installUnlessDone(
  storage: Storage,
  keys: ServiceKeys,
  config: Config,
): Promise<FirstTokens | undefined> {
  try {
    return await install({ storage, clock: clocks, newId, newUuid: randomUUID, sealingKey: keys.sealing }, config)
  } catch (error) {
    if ((await storage.read.installation()) === undefined) throw error
    return undefined
  }
}

/** @throws StartRefused with one sentence for a person */
export async function openStorage(config: Config, logger: Logger): Promise<Storage> {
  try {
    if (config.databaseUrl === undefined) return await openSqlite({ dataDir: config.dataDir, clock: clocks })
    return await openPostgres(
      {
        url: config.databaseUrl,
        schema: config.databaseSchema,
        poolSize: config.databasePoolSize,
        listen: config.databaseListen,
      },
      {
        clocks,
        timers,
        onTrouble: (error) => logger.warn({ err: error }, 'the database did not answer; it is tried again'),
      },
    )
  } catch (error) {
    throw error instanceof StorageRefused ? new StartRefused(error.message, { cause: error }) : error
  }
}

/**
 * What to throw when a database that was opened did not serve: a sentence for a person where the cause is theirs to mend,
 * else the error itself. Only what the log says about itself is a reason to bring back an older copy, which takes
 * revocations back.
 */
export function refusedByDatabase(error: unknown, { databaseUrl }: Pick<Config, 'databaseUrl'>): unknown {
  const sentence = sentenceFor(error, databaseUrl !== undefined)
  return sentence === undefined ? error : new StartRefused(sentence, { cause: error })
}

function sentenceFor(error: unknown, isShared: boolean): string | undefined {
  if (error instanceof LogMismatch || error instanceof UnexpectedResult) {
    return 'The revocation log of this database is damaged, or was written by a newer version; nothing is decided from it. If it is damaged, restore it from a backup.'
  }
  if (error instanceof StorageRefused) {
    return `${error.message} If that did not happen, and every start says so, the log of this database is damaged: restore it from a backup.`
  }
  const refused = isShared && !(error instanceof Unavailable) ? refusal(error) : undefined
  return refused instanceof StorageRefused ? refused.message : undefined
}
