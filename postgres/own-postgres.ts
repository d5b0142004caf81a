import type { TestContext } from 'node:test'
import { NoPostgres } from './binaries.ts'
import type { PostgresServer } from './postgres-server.ts'
import { type PostgresOptions, startPostgres } from './start-postgres.ts'

/** A server of the test's own, to do anything to; `undefined` where none can be run: the test is then skipped. */
export async function ownPostgres(t: TestContext, options?: PostgresOptions): Promise<PostgresServer | undefined> {
  try {
    const server = await startPostgres(options)
    t.after(() => server.stop())
    return server
  } catch (error) {
    if (!(error instanceof NoPostgres)) throw error
    t.skip(error.message)
    return undefined
  }
}
