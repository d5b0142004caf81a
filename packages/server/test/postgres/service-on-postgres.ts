import type { TestContext } from 'node:test'
import { NoPostgres } from '../../../../postgres/binaries.ts'
import type { PostgresServer } from '../../../../postgres/postgres-server.ts'
import { type PostgresOptions, startPostgres } from '../../../../postgres/start-postgres.ts'
import { type StoredState, stateIn } from '../durability/stored-state.ts'
import { addMember, type Issued, issueTo } from '../service/provisioning.ts'
import { type RunningService, runService } from '../service/running-service.ts'

/** Where the tables of the service are. */
const SCHEMA = 'rescind'

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

/** A service on it, and tokens that it has issued. */
export async function serviceOn(t: TestContext, { url }: PostgresServer): Promise<RunningService> {
  return runService(t, { databaseUrl: url, databaseSchema: SCHEMA, databasePoolSize: 2, leaseSeconds: 2 })
}

export async function issueSome(service: RunningService, count: number): Promise<Issued[]> {
  const holder = await addMember(service, 'member')
  return Promise.all(Array.from({ length: count }, () => issueTo(service, holder)))
}

/** What the database holds. */
export function storedState(server: PostgresServer): Promise<StoredState> {
  return server.withClient((client) =>
    stateIn(async (table) => (await client.query(`SELECT * FROM "${SCHEMA}"."${table}"`)).rows),
  )
}
