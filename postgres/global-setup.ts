/** For `node --test --test-global-setup`: one server for all files of tests, unless one was given. */
import { NoPostgres } from './binaries.ts'
import type { PostgresServer } from './postgres-server.ts'
import { startPostgres } from './start-postgres.ts'

let server: PostgresServer | undefined

export async function globalSetup(): Promise<void> {
  if (process.env.RESCIND_TEST_DATABASE_URL !== undefined) return
  try {
    server = await startPostgres()
    process.env.RESCIND_TEST_DATABASE_URL = server.url
  } catch (error) {
    // The tests that need one find out by themselves, and say so.
    if (!(error instanceof NoPostgres)) throw error
  }
}

export async function globalTeardown(): Promise<void> {
  await server?.stop()
}
