import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { PostgresServer } from '../../../../postgres/postgres-server.ts'
import { type StoredState, stateIn } from '../durability/stored-state.ts'
import type { ClientAnswer, ClientRequest, HttpClient } from '../service/http-client.ts'
import { addMember, type Issued, issueTo } from '../service/provisioning.ts'
import { type RunningService, runService } from '../service/running-service.ts'

/** Where the tables of the service are. */
const SCHEMA = 'rescind'

/** Long enough for a machine that has much else to do, and short enough to see it renewed. */
const LEASE_SECONDS = 10

/** A service on a server, and tokens that it has issued. */
export async function serviceOn(t: TestContext, { url }: PostgresServer): Promise<RunningService> {
  return runService(t, { databaseUrl: url, databaseSchema: SCHEMA, databasePoolSize: 2, leaseSeconds: LEASE_SECONDS })
}

export async function issueSome(service: RunningService, count: number): Promise<Issued[]> {
  const holder = await addMember(service, 'member')
  return Promise.all(Array.from({ length: count }, () => issueTo(service, holder)))
}

/** Resolves when the one service there is has renewed its lease once more. */
export async function renewed(server: PostgresServer): Promise<void> {
  const renewals = async () => (await server.query(`SELECT sum(renewals) AS sum FROM "${SCHEMA}".nodes`))[0]?.sum
  const before = await renewals()
  while ((await renewals()) === before) await delay(20)
}

/** Asks again for as long as the answer is 503. */
export function patient(client: HttpClient): HttpClient {
  const send = async (request: ClientRequest): Promise<ClientAnswer> => {
    const answer = await client.send(request)
    if (answer.status !== 503) return answer
    await delay(20)
    return send(request)
  }
  return { send, close: () => client.close() }
}

/** What the database holds. */
export function storedState(server: PostgresServer): Promise<StoredState> {
  return server.withClient((client) =>
    stateIn(async (table) => (await client.query(`SELECT * FROM "${SCHEMA}"."${table}"`)).rows),
  )
}
