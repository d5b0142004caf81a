/**
 * For `node --test --test-global-setup`: one server for all files of tests, unless one was given, and one cache of compiled
 * code for all the processes, of which there are many: most of what starting one costs is compiling.
 */
import { join } from 'node:path'
import { NoPostgres } from './binaries.ts'
import type { PostgresServer } from './postgres-server.ts'
import { startPostgres } from './start-postgres.ts'

let server: PostgresServer | undefined

export async function globalSetup(): Promise<void> {
  process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '../node_modules/.cache/node-compile-cache')
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
