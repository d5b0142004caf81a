import type { PostgresEffort } from '../effort.ts'
import type { Followers } from '../followers/followers.ts'
import { measureLoad, type Sample } from '../load/rounds.ts'
import { loadRow, loadRows, milliseconds, perSecond, type Row, samplesOf } from '../report/row.ts'
import { median } from '../report/statistics.ts'
import type { Table } from '../report/table.ts'
import type { Topic } from '../topics/topic.ts'
import type { Cluster } from './cluster.ts'
import type { DatabaseServer } from './database-server.ts'
import { revokeLoad } from './revoke-load.ts'
import type { SingleInserts } from './single-inserts.ts'

const VERIFIER_COUNTS = [0, 2, 8] as const
const INSERTING = 'PostgreSQL, insert of one row'

interface Measured {
  readonly server: DatabaseServer
  readonly followers: Followers
  readonly inserts: SingleInserts
  /** Of different numbers of nodes. */
  readonly clusters: readonly Cluster[]
  readonly clientCounts: PostgresEffort['clientCounts']
}

/** Issuing and revoking beside the least that a durable write can be, and how the costs grow. */
export function writes(
  measured: Measured,
  windowMs: number,
): Topic & { costs(samples: ReadonlyMap<string, readonly Sample[]>): Table } {
  const { inserts, clusters, clientCounts } = measured
  const [, many] = clientCounts
  const baselines = clientCounts.map((clients) => ({
    name: of(INSERTING, clients),
    measure: () => inserts.insertFor(clients, windowMs),
  }))
  const issuing = clusters.flatMap((cluster) =>
    clientCounts.map((clients) => ({
      name: of('issue', clients, cluster),
      measure: () => issueLoad(cluster, clients, windowMs),
    })),
  )
  const revoking = clusters.flatMap((cluster) =>
    VERIFIER_COUNTS.flatMap((verifiers) =>
      (verifiers === 0 ? clientCounts : [many]).map((clients) => ({
        name: of('revoke', clients, cluster, verifiers),
        measure: () => revokeLoad(measured, cluster, { clients, verifiers, durationMs: windowMs }),
      })),
    ),
  )
  return {
    items: [...baselines, ...issuing, ...revoking],
    rows: (samples): Row[] => [
      ...clientCounts.map((clients) => loadRow(samples, of(INSERTING, clients))),
      ...['issue', 'revoke'].flatMap((what) =>
        clusters.flatMap((cluster) =>
          clientCounts.flatMap((clients) =>
            loadRows(samples, of(what, clients, cluster), [{ name: of(INSERTING, clients) }]),
          ),
        ),
      ),
    ],
    costs: (samples) => ({
      headings: [
        'nodes',
        'verifiers',
        'measured',
        'p50',
        'p99',
        'revocations a commit',
        'statements',
        'CPU of PostgreSQL',
        'CPU of the nodes',
      ],
      figures: [0, 1, 2, 3, 4, 5, 6, 7, 8],
      lines: clusters.flatMap((cluster) =>
        VERIFIER_COUNTS.map((verifiers) => {
          const own = samplesOf(samples, of('revoke', many, cluster, verifiers))
          const cost = (name: string) => median(own.map(({ costs }) => costs?.[name] ?? Number.NaN))
          const each = (value: number, format: (value: number) => string) => (Number.isNaN(value) ? '' : format(value))
          return [
            `${cluster.port.length}`,
            `${verifiers}`,
            perSecond(median(own.map((sample) => sample.perSecond))),
            milliseconds(median(own.map(({ p50Ms }) => p50Ms))),
            milliseconds(median(own.map(({ p99Ms }) => p99Ms))),
            each(1 / cost('commits'), (value) => value.toFixed(1)),
            each(cost('statements'), (value) => value.toFixed(1)),
            each(cost('databaseMs'), milliseconds),
            each(cost('nodesMs'), milliseconds),
          ]
        }),
      ),
    }),
  }
}

/** Members issuing tokens to themselves, on all nodes; the tokens go to the supply. */
function issueLoad(cluster: Cluster, clients: number, durationMs: number): Promise<Sample> {
  const { supply } = cluster
  const onBody = (body: Buffer) => supply.add(body)
  return measureLoad(cluster, { clients, next: () => supply.nextRequest(), durationMs, expectedStatus: 201, onBody })
}

function of(what: string, clients: number, cluster?: Cluster, verifiers = 0): string {
  const nodes = cluster && (cluster.port.length === 1 ? ', 1 node' : `, ${cluster.port.length} nodes`)
  const attached = verifiers === 0 ? '' : `, ${verifiers} verifiers`
  return `${what}${nodes ?? ''}${attached}, ${clients === 1 ? '1 client' : `${clients} clients`}`
}
