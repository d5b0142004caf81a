import type { Latency } from '../report/statistics.ts'
import { drive, type Load, type LoadResult } from './drive.ts'

export interface Sample extends LoadResult {
  /** Shares of one processor core; absent where the system does not tell. */
  readonly cpu?: { readonly server: number; readonly client: number }
  /** What each of the requests took until what, by name; absent where nobody tells. */
  readonly parts?: Readonly<Record<string, Latency>>
  /** What one request cost on average, by name; absent where nobody counts. */
  readonly costs?: Readonly<Record<string, number>>
}

/** Something that is measured once in every round. */
export interface Item {
  readonly name: string
  measure(): Promise<Sample>
}

/** What was measured, by the name of the item, one sample a round. */
export type Samples = ReadonlyMap<string, readonly Sample[]>

/**
 * Measures all items in every round, one after the other, so that a machine that gets slower or faster meanwhile does so
 * for all of them.
 */
export async function measureInRounds(
  items: readonly Item[],
  counts: { readonly rounds: number; readonly warmUpRounds: number },
): Promise<Samples> {
  const samples = new Map<string, Sample[]>(items.map(({ name }) => [name, []]))
  for (let round = -counts.warmUpRounds; round < counts.rounds; round += 1) {
    for (const item of items) {
      const sample = await measured(item)
      if (round >= 0) samples.get(item.name)?.push(sample)
    }
  }
  return samples
}

async function measured(item: Item): Promise<Sample> {
  try {
    return await item.measure()
  } catch (cause) {
    throw new Error(`${item.name} cannot be measured`, { cause })
  }
}

/** What a load is applied to. */
export interface LoadTarget {
  /** Of several processes that do the same, those of all. */
  readonly port: number | readonly number[]
  /** Processor time used so far, of all of them; `undefined` where the system does not tell. */
  cpuMs(): number | undefined
}

/** Applies a load, and sees how much processor time both ends take. */
export async function measureLoad(server: LoadTarget, load: Omit<Load, 'port'>): Promise<Sample> {
  const startedMs = performance.now()
  const serverBefore = server.cpuMs()
  const clientBefore = process.cpuUsage()
  const result = await drive({ ...load, port: server.port })
  const elapsedMs = performance.now() - startedMs
  const { user, system } = process.cpuUsage(clientBefore)
  const serverAfter = server.cpuMs()
  if (serverBefore === undefined || serverAfter === undefined) return result
  const cpu = { server: (serverAfter - serverBefore) / elapsedMs, client: (user + system) / 1000 / elapsedMs }
  return { ...result, cpu }
}
