/**
 * Runs tests of services once more, with PostgreSQL under them instead of the embedded database: everything that comes to
 * be in a database. Left out is what never gets there: the shape of requests, the order of their checks, the documents.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { NoPostgres } from '../../../postgres/binaries.ts'
import { startPostgres } from '../../../postgres/start-postgres.ts'

const FILES = [
  ...['audit', 'authentication', 'in-force', 'jwks', 'members', 'operator', 'pagination'].map((name) => `api/${name}`),
  ...['permissions', 'revoke', 'tokens', 'verify'].map((name) => `api/${name}`),
  ...['attached', 'door', 'key-rotation', 'member-changes', 'restart'].map((name) => `feed/${name}`),
  ...['concurrency-issue', 'concurrency-token', 'durability'].map((name) => `durability/${name}`),
]

const given = process.env.RESCIND_TEST_DATABASE_URL
if (given !== undefined) process.exitCode = run(given)
else await runOnOwnServer()

async function runOnOwnServer(): Promise<void> {
  try {
    const server = await startPostgres()
    process.exitCode = run(server.url)
    await server.stop()
  } catch (error) {
    if (!(error instanceof NoPostgres)) throw error
    console.log(`ℹ skipped ${FILES.length} files of tests on PostgreSQL: ${error.message}`)
  }
}

function run(RESCIND_TEST_DATABASE_URL: string): number {
  const files = FILES.map((name) => join(import.meta.dirname, `${name}.test.ts`))
  console.log(`Once more on PostgreSQL: ${FILES.length} files of tests`)
  const { status } = spawnSync(process.execPath, ['--test', '--test-concurrency=2', ...files], {
    stdio: 'inherit',
    env: {
      RESCIND_TEST_KILL_CYCLES: '10',
      ...process.env,
      RESCIND_TEST_BACKEND: 'postgres',
      RESCIND_TEST_DATABASE_URL,
    },
  })
  return status ?? 1
}
