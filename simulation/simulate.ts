import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { BUGS } from './bugs/bugs.ts'
import { DATABASE_FAULTS } from './database/database-faults.ts'
import { PROCESS_FAULTS } from './faults.ts'
import { forkSeeds } from './fork-seeds.ts'
import { NETWORK_FAULTS } from './network-faults.ts'
import { AT_LEAST, add, NOTHING, runSeed, type Total } from './run-seeds.ts'

const USAGE = `npm run simulate -- --seed N           one run, in full
npm run simulate -- --seeds N [--from M]  many runs
npm run simulate -- --bugs                every rule taken away, one at a time: each must be noticed
`

/** Seeds that a bug may take to be noticed. */
const SEEDS_FOR_A_BUG = 1000
const SEEDS_AT_ONCE = 50

/** What follows from faults rather than being one. */
const CONSEQUENCES: ReadonlySet<string> = new Set(['db_deadlock', 'db_lock_timeout', 'db_conflict', 'db_abandoned'])
const KINDS = [...PROCESS_FAULTS, ...NETWORK_FAULTS, ...DATABASE_FAULTS].filter((kind) => !CONSEQUENCES.has(kind))
/** How often each kind of fault strikes at least between a commit and its answer, in a thousand seeds. */
const STRIKES_IN_A_THOUSAND = 100

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    bugs: { type: 'boolean', default: false },
    bug: { type: 'string' },
  },
})

if (values.seed !== undefined) process.exitCode = await one(Number(values.seed))
else if (values.bugs || values.bug !== undefined) process.exitCode = await bite(values.bug)
else if (values.seeds !== undefined) process.exitCode = await many(Number(values.from), Number(values.seeds))
else {
  process.stdout.write(USAGE)
  process.exitCode = 64
}

async function one(seed: number): Promise<number> {
  const result = await runSeed(seed)
  console.log(result)
  return result.violation === undefined ? 0 : 1
}

async function many(from: number, seeds: number): Promise<number> {
  const startedMs = performance.now()
  const total = await inParallel(from, seeds)
  const seconds = (performance.now() - startedMs) / 1000
  const { steps, answers, verifications, accepted, failures, short } = total
  console.log(
    `seeds ${from} to ${from + seeds - 1}: ${steps} steps, ${Math.round(steps / seconds)} a second, ${Math.round(seconds)} s`,
  )
  console.log(`${answers} revocations answered, ${verifications} verifications, ${accepted} of them accepted`)
  // Fewer seeds say nothing about how rare a fault is.
  const rare = report(total, seeds < 1000 ? 0 : (STRIKES_IN_A_THOUSAND * seeds) / 1000)
  for (const { seed, message } of failures) console.log(`seed ${seed}: ${message}`)
  for (const seed of short)
    console.log(`seed ${seed}: less than ${AT_LEAST.minSteps} steps or ${AT_LEAST.minAnswers} answers`)
  if (rare.length > 0) console.log(`too rare between a commit and its answer: ${rare.join(', ')}`)
  const isGood = failures.length === 0 && short.length === 0 && rare.length === 0
  console.log(isGood ? '0 violations' : `${failures.length} violations`)
  return isGood ? 0 : 1
}

/** Prints how often each fault struck. Returns those that struck too rarely for a conclusion. */
function report({ faults, faultsBeforeAnswer }: Total, least: number): string[] {
  console.table(
    Object.fromEntries(
      KINDS.map((kind) => [
        kind,
        { struck: faults[kind] ?? 0, 'between commit and 201': faultsBeforeAnswer[kind] ?? 0 },
      ]),
    ),
  )
  return KINDS.filter((kind) => (faultsBeforeAnswer[kind] ?? 0) < least)
}

async function inParallel(from: number, seeds: number): Promise<Total> {
  let total = NOTHING
  let next = from
  const end = from + seeds
  const work = async () => {
    while (next < end) {
      const first = next
      const count = Math.min(SEEDS_AT_ONCE, end - first)
      next += count
      const part = await forkSeeds(first, count)
      total = add(total, part)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  return total
}

async function bite(only: string | undefined): Promise<number> {
  const bugs = BUGS.filter(({ name }) => only === undefined || name === only)
  let missed = 0
  const left = [...bugs]
  const work = async () => {
    for (let bug = left.shift(); bug !== undefined; bug = left.shift()) {
      const { seeds, failures } = await forkSeeds(1, SEEDS_FOR_A_BUG, bug.name)
      const failure = failures.find(({ invariant }) => invariant === bug.breaks)
      const isCaught = failure !== undefined
      if (!isCaught) missed++
      const others = [...new Set(failures.map(({ invariant }) => invariant))].join(', ')
      const found = isCaught
        ? `${failure.message} (seed ${failure.seed})`
        : `not in ${seeds} seeds; ${others || 'nothing else'}`
      console.log(`${isCaught ? 'caught' : 'MISSED'}  rule ${bug.rule}, ${bug.name}: ${found}`)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  console.log(`${bugs.length - missed} of ${bugs.length} caught by the invariant they break`)
  return missed === 0 && bugs.length > 0 ? 0 : 1
}
