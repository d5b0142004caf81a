import type { ClientBase } from 'pg'
import { StorageRefused } from '../storage.ts'

interface Settings {
  readonly recovering: boolean
  readonly encoding: string
  readonly fsync: string
  readonly full_page_writes: string
  readonly synchronous_commit: string
  readonly standby_names: string
}

/**
 * Looks at the server behind a new connection: after a failover it may be another one than before.
 *
 * @throws StorageRefused when it does not keep what it commits, is a standby, or cannot store every text
 */
export async function checkServer(client: ClientBase): Promise<void> {
  const { rows } = await client.query<Settings>(
    `SELECT pg_is_in_recovery() AS recovering, current_setting('server_encoding') AS encoding,
       current_setting('fsync') AS fsync,
       current_setting('full_page_writes') AS full_page_writes,
       current_setting('synchronous_commit') AS synchronous_commit,
       current_setting('synchronous_standby_names') AS standby_names`,
  )
  const problem = rows[0] && problemOf(rows[0])
  if (problem) throw new StorageRefused(problem)
}

function problemOf(settings: Settings): string | undefined {
  if (settings.recovering) {
    return 'The database server is a standby, which shows what was committed a while ago and takes no writes; set DATABASE_URL to the primary.'
  }
  if (settings.encoding !== 'UTF8') {
    return `The database stores text as ${settings.encoding}, which lacks most characters; create one with ENCODING 'UTF8'.`
  }
  for (const name of ['fsync', 'full_page_writes'] as const) {
    if (settings[name] !== 'on') {
      return `The database server runs with ${name} = ${settings[name]}, so a crash can undo revocations; set it to on.`
    }
  }
  if (settings.synchronous_commit === 'off') {
    return 'The database server runs with synchronous_commit = off, so a crash can undo revocations; set it to on, for this database or role at least.'
  }
  if (settings.synchronous_commit === 'local' && settings.standby_names !== '') {
    return 'The database server runs with synchronous_commit = local and a synchronous standby, so a failover can undo revocations; set it to on, for this database or role at least.'
  }
  return undefined
}
