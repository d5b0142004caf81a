import type { Sample, Samples } from '../load/rounds.ts'
import { median } from './statistics.ts'

/**
 * Says for every load of many clients how busy the processor kept both ends. Only where the server was the busier one do
 * the figures say something about the server.
 */
export function bottlenecks(samples: Samples): string[] {
  const busy = [...samples].flatMap(([name, own]) => {
    const server = middle(own, 'server')
    const client = middle(own, 'client')
    return name.endsWith('1 client') || Number.isNaN(server) ? [] : [{ name, server, client }]
  })
  if (busy.length === 0)
    return ['Processor time of the servers is not told here: whether they were the bottleneck is open.']
  const clientBound = busy.filter(({ server, client }) => client >= server).map(({ name }) => name)
  const verdict =
    clientBound.length === 0
      ? 'The server was the bottleneck of every load of many clients'
      : `The load client was the bottleneck of: ${clientBound.join('; ')}`
  const figures = busy.map(({ name, server, client }) => `${name} ${percent(server)} / ${percent(client)}`)
  return [`${verdict}.`, `Share of a core, server / load client: ${figures.join('; ')}.`]
}

function middle(samples: readonly Sample[], end: 'server' | 'client'): number {
  return median(samples.map(({ cpu }) => cpu?.[end] ?? Number.NaN))
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
