import { Client } from 'pg'
import type { Applied } from '../followers/applications.ts'
import type { Followers } from '../followers/followers.ts'
import { machineMs } from '../followers/machine-ms.ts'
import { InForceAnswers } from '../load/in-force-answers.ts'
import { type Item, measureLoad } from '../load/rounds.ts'
import { milliseconds } from '../report/row.ts'
import { type Latency, latency } from '../report/statistics.ts'
import type { Table } from '../report/table.ts'
import { revokeRequest } from '../topics/revoking.ts'
import type { Cluster } from './cluster.ts'
import { holders } from './revoke-load.ts'

const VERIFIER_COUNTS = [2, 8] as const
/** Few enough, and with pauses, so that what takes long is the way and not the queue. */
const CLIENTS = 4
/** At most, and at every length up to there, so that requests come at any moment between two polls. */
const PAUSE_MS = 250
/** Steps of this part of the whole cover it evenly, and never repeat. */
const GOLDEN = (Math.sqrt(5) - 1) / 2
/** Tokens at hand for each client and pause. */
const TOKENS_PER_PAUSE = 4

interface Revoked {
  readonly id: string
  /** Of the node that was asked. */
  readonly port: number
  readonly sentMs: number
}

/** What was observed of one cluster with so many verifiers, in all rounds together, in milliseconds from the request on. */
class Observed {
  readonly answers = new InForceAnswers(0)
  readonly sameNodeMs: number[] = []
  readonly otherNodesMs: number[] = []
  readonly inForceMs: number[] = []

  /** @param seqs of the revocations, by the id of the token */
  add(revoked: readonly Revoked[], seqs: ReadonlyMap<string, number>, verifiers: readonly Applied[]): void {
    for (const { id, port, sentMs } of revoked) {
      const seq = seqs.get(id) ?? Number.NaN
      for (const verifier of verifiers) {
        const applied = verifier.upTo.find((each) => each.seq >= seq)
        if (applied === undefined) throw new Error('A verifier did not apply a revocation that was answered')
        const lags = verifier.port === port ? this.sameNodeMs : this.otherNodesMs
        lags.push(applied.atMs - sentMs)
      }
    }
  }
}

/** How long a revocation takes on its way: until it is durable, applied by verifiers wherever they are, and in force. */
export function propagation(
  clusters: readonly Cluster[],
  followers: Followers,
  windowMs: number,
): { readonly items: readonly Item[]; table(): Table } {
  const settings = clusters.flatMap((cluster) =>
    VERIFIER_COUNTS.map((verifiers) => ({ cluster, verifiers, observed: new Observed() })),
  )
  return {
    items: settings.map(({ cluster, verifiers, observed }) => ({
      name: `propagation in ${cluster.database} to ${verifiers} verifiers`,
      measure: () => revokeAndObserve(cluster, followers, verifiers, observed, windowMs),
    })),
    table: () => ({
      headings: [
        'nodes',
        'woken by',
        'verifiers',
        'revocations',
        'durable',
        'applied, same node',
        'applied, other nodes',
        'answered: in force',
      ],
      figures: [0, 2, 3, 4, 5, 6, 7],
      lines: settings.map(({ cluster, verifiers, observed }) => [
        `${cluster.port.length}`,
        cluster.listen ? 'NOTIFY' : 'polls',
        `${verifiers}`,
        `${observed.inForceMs.length}`,
        both(observed.answers.parts().commit),
        both(latency(observed.sameNodeMs)),
        both(latency(observed.otherNodesMs)),
        both(latency(observed.inForceMs)),
      ]),
    }),
  }
}

async function revokeAndObserve(
  cluster: Cluster,
  followers: Followers,
  verifiers: number,
  observed: Observed,
  durationMs: number,
) {
  const { port: ports, supply, population } = cluster
  const tokens = await supply.take(CLIENTS * Math.ceil((durationMs / PAUSE_MS) * TOKENS_PER_PAUSE))
  const revoked: Revoked[] = []
  const sentMs: number[] = []
  let pauses = 0
  const pauseMs = () => {
    pauses += 1
    return ((pauses * GOLDEN) % 1) * PAUSE_MS
  }
  const next = (client: number) => {
    const token = tokens[revoked.length]
    if (token === undefined) return undefined
    sentMs[client] = machineMs()
    revoked.push({ id: token.id, port: ports[client % ports.length] ?? 0, sentMs: sentMs[client] })
    return revokeRequest(cluster, token.id)
  }
  const onHead = (head: string, client: number) => {
    observed.inForceMs.push(machineMs() - (sentMs[client] ?? Number.NaN))
    observed.answers.add(head, holders(verifiers, ports.length, client))
  }
  const load = { clients: CLIENTS, next, durationMs, expectedStatus: 201, onHead, pauseMs }
  const work = () => followers.observe(null, () => measureLoad(cluster, load))
  const { observed: seen, result } = await followers.during(verifiers, cluster, population.feedToken, work)
  supply.putBack(tokens.slice(revoked.length))
  observed.add(revoked, await revokedSeqs(cluster.url, revoked), seen.applied)
  return result
}

/** By the id of the token. */
async function revokedSeqs(url: string, revoked: readonly Revoked[]): Promise<ReadonlyMap<string, number>> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const text = 'SELECT id, revoked_seq FROM rescind.tokens WHERE id = ANY($1)'
    const { rows } = await client.query<{ id: string; revoked_seq: string }>(text, [revoked.map(({ id }) => id)])
    return new Map(rows.map(({ id, revoked_seq }) => [id, Number(revoked_seq)]))
  } finally {
    await client.end()
  }
}

/** The 50th and the 99th percentile; empty where there is nothing. */
function both({ p50Ms, p99Ms }: Latency): string {
  return Number.isNaN(p50Ms) ? '' : `${milliseconds(p50Ms)} / ${milliseconds(p99Ms)}`
}
