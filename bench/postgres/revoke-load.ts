import type { Followers } from '../followers/followers.ts'
import { InForceAnswers } from '../load/in-force-answers.ts'
import { eachOnce } from '../load/next-request.ts'
import { measureLoad, type Sample } from '../load/rounds.ts'
import { revokeRequest } from '../topics/revoking.ts'
import type { Cluster } from './cluster.ts'
import type { DatabaseServer } from './database-server.ts'

export interface RevokeLoad {
  readonly clients: number
  /** Verifiers attached, spread over the nodes. */
  readonly verifiers: number
  readonly durationMs: number
}

/** Tokens at hand for each millisecond. Faster services end their window early, when they have revoked them all. */
const TOKENS_PER_MS = { one: 1, many: 3 }

/** Clients spread over the nodes revoke tokens, each once, as fast as they are answered; with what that costs. */
export async function revokeLoad(
  { server, followers }: { readonly server: DatabaseServer; readonly followers: Followers },
  cluster: Cluster,
  { clients, verifiers, durationMs }: RevokeLoad,
): Promise<Sample> {
  const { supply, population, port } = cluster
  const tokens = await supply.take(durationMs * (clients === 1 ? TOKENS_PER_MS.one : TOKENS_PER_MS.many))
  const answers = new InForceAnswers(0)
  const next = eachOnce(tokens.map(({ id }) => revokeRequest(cluster, id)))
  const onHead = (head: string, client: number) => answers.add(head, holders(verifiers, port.length, client))
  const load = { clients, next, durationMs, expectedStatus: 201, onHead }
  const sample = await followers.during(verifiers, cluster, population.feedToken, () => measureCosts(load))
  supply.putBack(tokens.slice(sample.requests))
  return sample

  async function measureCosts(load: Parameters<typeof measureLoad>[1]): Promise<Sample> {
    const before = await server.executed(cluster.database)
    const cpuBefore = { database: server.cpuMs(), nodes: cluster.cpuMs() }
    const sample = await measureLoad(cluster, load)
    const cpuAfter = { database: server.cpuMs(), nodes: cluster.cpuMs() }
    const after = await server.executed(cluster.database)
    const each = (to: number | undefined, from: number | undefined) =>
      ((to ?? Number.NaN) - (from ?? Number.NaN)) / sample.requests
    const costs = {
      commits: each(after?.commits, before?.commits),
      statements: each(after?.statements, before?.statements),
      databaseMs: each(cpuAfter.database, cpuBefore.database),
      nodesMs: each(cpuAfter.nodes, cpuBefore.nodes),
    }
    return { ...sample, costs }
  }
}

/** Who has applied a revocation when the node that `client` asks answers: its own verifiers, and each other node for all of its own. */
export function holders(verifiers: number, nodes: number, client: number): number {
  const node = client % nodes
  return nodes - 1 + Math.floor(verifiers / nodes) + (node < verifiers % nodes ? 1 : 0)
}
