/**
 * Runs tests of services once more, with PostgreSQL under them instead of the embedded database: everything that comes to
 * be in a database. Left out is what never gets there: the shape of requests, the order of their checks, the documents.
 *
 * With the folder of the programs of another PostgreSQL, it is that one, and what takes long, and the tests of the storage
 * and of servers, run on it too.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { binariesIn, NoPostgres } from '../../../postgres/binaries.ts'
import { startPostgres } from '../../../postgres/start-postgres.ts'

const SERVICES = [
  ...['audit', 'authentication', 'in-force', 'jwks', 'members', 'operator', 'pagination'].map((name) => `api/${name}`),
  ...['revoke', 'tokens', 'verify'].map((name) => `api/${name}`),
  ...['attached', 'door', 'key-rotation', 'member-changes', 'restart'].map((name) => `feed/${name}`),
  ...['concurrency-issue', 'concurrency-token'].map((name) => `durability/${name}`),
]
/** What takes long. */
const ALL_SERVICES = [...SERVICES, 'api/permissions', 'durability/durability']
const STORAGE = [
  'postgres/nodes',
  ...['', '-open', '-guards', '-tail', '-commits'].map((part) => `storage/postgres${part}`),
]
/** With a server given, it only has the processes share what one of them compiled. */
const GLOBAL_SETUP = join(import.meta.dirname, '../../../postgres/global-setup.ts')
const SERVER = '../../../postgres/test/postgres-server'

const given = process.env.RESCIND_TEST_DATABASE_URL
const [folder] = process.argv.slice(2)
if (folder !== undefined) await runOnOwnServer([...ALL_SERVICES, ...STORAGE, SERVER], folder)
else if (given !== undefined) process.exitCode = run(SERVICES, given)
else await runUnlessThereIsNone()

async function runUnlessThereIsNone(): Promise<void> {
  try {
    await runOnOwnServer(SERVICES)
  } catch (error) {
    if (!(error instanceof NoPostgres)) throw error
    console.log(`ℹ skipped ${SERVICES.length} files of tests on PostgreSQL: ${error.message}`)
  }
}

async function runOnOwnServer(names: readonly string[], programs?: string): Promise<void> {
  const server = await startPostgres(programs === undefined ? {} : { binaries: binariesIn(programs) })
  try {
    process.exitCode = run(names, server.url, programs)
  } finally {
    await server.stop()
  }
}

function run(names: readonly string[], RESCIND_TEST_DATABASE_URL: string, programs?: string): number {
  console.log(`Once more on PostgreSQL: ${names.length} files of tests`)
  const files = names.map((name) => join(import.meta.dirname, `${name}.test.ts`))
  const options = ['--test', '--test-concurrency=3', `--test-global-setup=${GLOBAL_SETUP}`]
  const { status } = spawnSync(process.execPath, [...options, ...files], {
    stdio: 'inherit',
    env: {
      RESCIND_TEST_KILL_CYCLES: '10',
      ...process.env,
      RESCIND_TEST_BACKEND: 'postgres',
      RESCIND_TEST_DATABASE_URL,
      ...(programs === undefined ? {} : { RESCIND_TEST_POSTGRES_PROGRAMS: programs }),
    },
  })
  return status ?? 1
}
