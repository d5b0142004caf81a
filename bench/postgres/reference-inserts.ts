/**
 * Clients that insert single rows, each in a transaction of its own, as fast as they are answered: where there is no
 * pgbench, what is compared with.
 *
 * Argument: the URL of the database, which has the table. Told how many clients and for how long, it answers with the figures.
 */
import { Client } from 'pg'
import type { LoadResult } from '../load/drive.ts'
import { latency } from '../report/statistics.ts'
import { INSERT } from './single-inserts.ts'

interface Order {
  readonly clients: number
  readonly durationMs: number
}

const [url] = process.argv.slice(2)

process.on('disconnect', () => process.exit())
process.on('message', async (order: Order) => process.send?.(await insertFor(order)))

async function insertFor({ clients, durationMs }: Order): Promise<LoadResult> {
  const connected = await Promise.all(
    Array.from({ length: clients }, async () => {
      const client = new Client({ connectionString: url })
      await client.connect()
      return client
    }),
  )
  const latenciesMs: number[] = []
  const startedMs = performance.now()
  const insertOn = async (client: Client) => {
    let nowMs = performance.now()
    while (nowMs - startedMs < durationMs) {
      await client.query({ name: 'insert', text: INSERT, values: [] })
      const endedMs = performance.now()
      latenciesMs.push(endedMs - nowMs)
      nowMs = endedMs
    }
  }
  await Promise.all(connected.map(insertOn))
  const perSecond = (latenciesMs.length / (performance.now() - startedMs)) * 1000
  await Promise.all(connected.map((client) => client.end()))
  return { requests: latenciesMs.length, perSecond, ...latency(latenciesMs) }
}
