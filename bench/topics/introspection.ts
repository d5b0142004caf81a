import { drive } from '../load/drive.ts'
import { cycle } from '../load/next-request.ts'
import { requestBytes } from '../load/request-bytes.ts'
import { measureLoad } from '../load/rounds.ts'
import type { Population } from '../population.ts'
import { loadRow, loadRows } from '../report/row.ts'
import type { ServerProcess } from '../servers/server-process.ts'
import type { Servers } from '../servers/servers.ts'
import { FASTIFY_GET, NODE_GET } from './hello-world.ts'
import { CLIENT_COUNTS, type ClientCount, type Topic, withClients } from './topic.ts'

const INTROSPECTION = 'introspection over HTTP'
const FASTIFY_POST = 'Fastify hello world, same POST'
const FASTIFY_LOGGING_POST = 'Fastify hello world, same POST, logging'

/** Asking the service about tokens, beside servers that are sent the same bytes and decide nothing. */
export function introspection(servers: Servers, population: Population, windowMs: number): Topic {
  const { rescind, fastify, fastifyLogging } = servers
  const requests = population.memberTokens.map((token) =>
    requestBytes({
      method: 'POST',
      path: '/api/v1/tokens/verify',
      token: population.introspectToken,
      json: { token },
    }),
  )
  const item = (name: string, server: ServerProcess, clients: ClientCount) => ({
    name: withClients(name, clients),
    measure: () => measureLoad(server, { clients, next: cycle(requests), durationMs: windowMs, expectedStatus: 200 }),
  })
  return {
    items: CLIENT_COUNTS.flatMap((clients) => [
      item(FASTIFY_POST, fastify, clients),
      {
        ...item(INTROSPECTION, rescind, clients),
        measure: async () => {
          await expectValid(rescind, requests)
          return item(INTROSPECTION, rescind, clients).measure()
        },
      },
      item(FASTIFY_LOGGING_POST, fastifyLogging, clients),
    ]),
    rows: (samples) =>
      CLIENT_COUNTS.flatMap((clients) => [
        loadRow(samples, withClients(FASTIFY_POST, clients)),
        loadRow(samples, withClients(FASTIFY_LOGGING_POST, clients)),
        ...loadRows(samples, withClients(INTROSPECTION, clients), [
          { name: withClients(FASTIFY_POST, clients), ...(clients === 32 && { bar: { atLeast: 0.85 } }) },
          { name: withClients(FASTIFY_LOGGING_POST, clients) },
          { name: withClients(FASTIFY_GET, clients) },
          { name: withClients(NODE_GET, clients) },
        ]),
      ]),
  }
}

/** A rejection is answered 200 as well, and would be measured just as happily. */
async function expectValid({ port }: ServerProcess, requests: readonly Buffer[]): Promise<void> {
  let left = 1
  await drive({
    port,
    clients: 1,
    next: () => (left-- > 0 ? requests[0] : undefined),
    durationMs: Number.POSITIVE_INFINITY,
    expectedStatus: 200,
    onBody: (body) => {
      if (JSON.parse(body.toString('utf8')).data.status !== 'valid') throw new Error('A valid token was rejected')
    },
  })
}
