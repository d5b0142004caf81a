import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { copyData, writeOwned } from './owned-files.ts'
import type { PostgresServer } from './postgres-server.ts'
import { configure, startNew } from './start-postgres.ts'

/** Of the standby, by which the primary knows it. */
const NAME = 'standby'
const FOLLOWS = `SELECT bool_or(sync_state = 'sync' AND state = 'streaming' AND flush_lsn >= pg_current_wal_flush_lsn()) AS follows
  FROM pg_stat_replication`
const LOOK_MS = 20
const CATCH_UP_MS = 30_000

/**
 * Starts a physical standby of a running server, from a copy that is made while it runs, and has the server confirm no
 * commit from now on before the standby has it. Resolves when that is so.
 */
export async function startStandby(primary: PostgresServer): Promise<PostgresServer> {
  const standby = await startNew(primary.binaries, async ({ dataDir }) => {
    await copyRunning(primary, dataDir)
    await configure(dataDir, {
      primary_conninfo: `host=127.0.0.1 port=${primary.port} user=postgres application_name=${NAME}`,
      primary_slot_name: NAME,
    })
  })
  try {
    await confirmedBy(primary, NAME)
    return standby
  } catch (error) {
    await standby.stop()
    throw error
  }
}

/** Resolves when the server confirms what its standby has, and the standby has everything. */
export async function synchronised(primary: PostgresServer): Promise<void> {
  const giveUpMs = performance.now() + CATCH_UP_MS
  for (;;) {
    // A server that recovers refuses connections.
    const [row] = await primary.query(FOLLOWS).catch(() => [])
    if (row?.follows) return
    if (performance.now() > giveUpMs) throw new Error('The standby does not catch up')
    await pause(LOOK_MS)
  }
}

/** Copies the data as a base backup does (https://www.postgresql.org/docs/current/continuous-archiving.html). */
async function copyRunning(primary: PostgresServer, dataDir: string): Promise<void> {
  // Keeps whatever is written from now on until the standby has it.
  await primary.query(
    `SELECT pg_create_physical_replication_slot($1, true)
     WHERE NOT EXISTS (SELECT 1 FROM pg_replication_slots WHERE slot_name = $1)`,
    [NAME],
  )
  const label = await primary.withClient(async (client) => {
    await client.query("SELECT pg_backup_start('standby', true)")
    await copyData(primary.dataDir, dataDir)
    const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)')
    return rows[0]?.labelfile ?? ''
  })
  await writeOwned(join(dataDir, 'backup_label'), label)
  await writeOwned(join(dataDir, 'standby.signal'), '')
}

async function confirmedBy(primary: PostgresServer, standby: string): Promise<void> {
  await primary.query(`ALTER SYSTEM SET synchronous_standby_names = '${standby}'`)
  await primary.query('SELECT pg_reload_conf()')
  await synchronised(primary)
}
