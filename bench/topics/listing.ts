import { requestBytes } from '../load/request-bytes.ts'
import { measureLoad } from '../load/rounds.ts'
import type { Population } from '../population.ts'
import { loadRows } from '../report/row.ts'
import type { Servers } from '../servers/servers.ts'
import { FASTIFY_GET, NODE_GET } from './hello-world.ts'
import { CLIENT_COUNTS, type Topic, withClients } from './topic.ts'

/** The first page of up to 50 tokens, of a holder of few and of one of many. */
export function listing({ rescind }: Servers, population: Population, windowMs: number): Topic {
  const holders = [
    { name: 'list over HTTP, 10 tokens', token: population.fewHolder },
    {
      name: `list over HTTP, 50 of ${population.manyTokens.toLocaleString('en')} tokens`,
      token: population.manyHolder,
    },
  ].map(({ name, token }) => ({
    name,
    request: requestBytes({ method: 'GET', path: '/api/v1/tokens?limit=50', token, businessId: rescind.businessId }),
  }))
  return {
    items: CLIENT_COUNTS.flatMap((clients) =>
      holders.map(({ name, request }) => ({
        name: withClients(name, clients),
        measure: () =>
          measureLoad(rescind, { clients, next: () => request, durationMs: windowMs, expectedStatus: 200 }),
      })),
    ),
    rows: (samples) =>
      CLIENT_COUNTS.flatMap((clients) =>
        holders.flatMap(({ name }) =>
          loadRows(samples, withClients(name, clients), [
            { name: withClients(FASTIFY_GET, clients) },
            { name: withClients(NODE_GET, clients) },
          ]),
        ),
      ),
  }
}
