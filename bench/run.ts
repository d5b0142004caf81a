/**
 * `npm run bench`: measures what the design promises as ratios, against what the machine gives at best in the same run,
 * and ends with exit code 1 when a bar is missed.
 *
 * - `--quick` only shows that everything runs: too short for its figures to mean anything, so no bar fails it.
 * - `--markdown` prints the table to paste it into a document.
 * - `--profile <folder>` leaves a processor profile of the service there.
 */
import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type Effort, FULL, QUICK } from './effort.ts'
import { measureInRounds, type Samples } from './load/rounds.ts'
import { populate } from './population.ts'
import { bottlenecks } from './report/bottlenecks.ts'
import type { Row } from './report/row.ts'
import { setting } from './report/setting.ts'
import { markdownTable, textTable } from './report/table.ts'
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

/** Ignored by git, and on the disk that the service's default data folder is on: a folder for temporary files may be memory. */
const SCRATCH = resolve(import.meta.dirname, '../node_modules/.cache')

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    markdown: { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
})
const effort = options.quick ? QUICK : FULL

const where = setting(Date.now())
const memory = revocationMemory(effort.localRounds)
const overHttp = await inScratchFolder((folder) =>
  withServers(folder, options.profile, (servers) => measureServers(folder, servers, effort)),
)
const rows = [...memory, ...overHttp.rows]
const missed = rows.filter(({ passed }) => passed === false).length

const lines = [where, '', (options.markdown ? markdownTable : textTable)(rows), '', ...overHttp.notes]
lines.push(missed === 0 ? 'Every bar is reached.' : `Bars missed: ${missed}.`)
process.stdout.write(`${lines.join('\n')}\n`)
if (missed > 0 && !options.quick) process.exitCode = 1

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

async function inScratchFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  await mkdir(SCRATCH, { recursive: true })
  const folder = await mkdtemp(join(SCRATCH, 'bench-'))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      // After the listeners that end every process that was started.
      process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
      process.exit(1)
    })
  }
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
