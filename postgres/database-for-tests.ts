import { after } from 'node:test'
import { NoPostgres } from './binaries.ts'
import { startPostgres } from './start-postgres.ts'

/** A database that tests may use, each in a schema of its own; or why there is none, to skip them with. */
export type TestDatabase =
  | { readonly url: string; readonly skip: false }
  | { readonly url: undefined; readonly skip: string }

let shared: Promise<TestDatabase> | undefined

/**
 * The one that `RESCIND_TEST_DATABASE_URL` names; without it, a server that is started for this file of tests and ends
 * with it.
 */
export function databaseForTests(): Promise<TestDatabase> {
  shared ??= find(process.env.RESCIND_TEST_DATABASE_URL)
  return shared
}

async function find(url: string | undefined): Promise<TestDatabase> {
  if (url !== undefined) return { url, skip: false }
  try {
    const server = await startPostgres()
    after(() => server.stop())
    return { url: server.url, skip: false }
  } catch (error) {
    if (error instanceof NoPostgres) return { url: undefined, skip: error.message }
    throw error
  }
}
