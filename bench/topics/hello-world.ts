import { requestBytes } from '../load/request-bytes.ts'
import { measureLoad } from '../load/rounds.ts'
import { loadRow } from '../report/row.ts'
import type { ServerProcess } from '../servers/server-process.ts'
import type { Servers } from '../servers/servers.ts'
import { CLIENT_COUNTS, type Topic, withClients } from './topic.ts'

export const NODE_GET = 'node:http hello world, GET'
export const FASTIFY_GET = 'Fastify hello world, GET'

/** What a request costs at the very least. */
export function helloWorld({ node, fastify }: Servers, windowMs: number): Topic {
  const request = requestBytes({ method: 'GET', path: '/' })
  const servers: [string, ServerProcess][] = [
    [NODE_GET, node],
    [FASTIFY_GET, fastify],
  ]
  const items = CLIENT_COUNTS.flatMap((clients) =>
    servers.map(([name, server]) => ({
      name: withClients(name, clients),
      measure: () => measureLoad(server, { clients, next: () => request, durationMs: windowMs, expectedStatus: 200 }),
    })),
  )
  return { items, rows: (samples) => items.map(({ name }) => loadRow(samples, name)) }
}
