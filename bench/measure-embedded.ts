import { type Effort, FULL, QUICK } from './effort.ts'
import { measureInRounds, type Samples } from './load/rounds.ts'
import { populate } from './population.ts'
import { bottlenecks } from './report/bottlenecks.ts'
import type { Report } from './report/report.ts'
import type { Row } from './report/row.ts'
import { tableOf } from './report/table.ts'
import { type Servers, withServers } from './servers/servers.ts'
import { TokenSupply } from './token-supply.ts'
import { bareCommit } from './topics/bare-commit.ts'
import { enforcing } from './topics/enforcing.ts'
import { helloWorld } from './topics/hello-world.ts'
import { introspection } from './topics/introspection.ts'
import { issuing } from './topics/issuing.ts'
import { listing } from './topics/listing.ts'
import { revocationMemory } from './topics/revocation-memory.ts'
import { revokeStorm } from './topics/revoke-storm.ts'
import { revoking } from './topics/revoking.ts'
import type { Topic } from './topics/topic.ts'
import { verifying } from './topics/verifying.ts'

export interface RunOptions {
  /** Too short for the figures to mean anything. */
  readonly quick: boolean
  /** Where the services leave processor profiles; none unless given. */
  readonly profileDir: string | undefined
}

/**
 * Measures a service on its embedded database against what the machine gives at best.
 *
 * @param folder for databases and logs
 */
export async function measureEmbedded(folder: string, { quick, profileDir }: RunOptions): Promise<Report> {
  const effort = quick ? QUICK : FULL
  const memory = revocationMemory(effort.localRounds)
  const overHttp = await withServers(folder, profileDir, (servers) => measureServers(folder, servers, effort))
  const rows = [...memory, ...overHttp.rows]
  const missed = rows.filter(({ passed }) => passed === false).length
  const verdict = missed === 0 ? 'Every bar is reached.' : `Bars missed: ${missed}.`
  return { tables: [{ table: tableOf(rows) }], notes: [...overHttp.notes, verdict], missed }
}

async function measureServers(folder: string, servers: Servers, effort: Effort) {
  const { windowMs, ...counts } = effort
  const population = await populate(servers.rescind, counts)
  const supply = new TokenSupply(servers.rescind, population)
  const verification = await verifying(servers, supply, population, effort.localRounds)
  const topics: Topic[] = [
    helloWorld(servers, windowMs),
    introspection(servers, population, windowMs),
    listing(servers, population, windowMs),
    issuing(servers, supply, windowMs),
    bareCommit(servers, windowMs),
    revoking(servers, supply, windowMs),
    enforcing(servers, supply, population, windowMs),
  ]
  const samples: Samples = await measureInRounds(
    topics.flatMap(({ items }) => items),
    counts,
  )
  const storm = await revokeStorm(folder, servers.followers, effort)
  const rows: Row[] = [...verification, ...topics.flatMap((topic) => topic.rows(samples)), ...storm]
  return { rows, notes: bottlenecks(samples) }
}
