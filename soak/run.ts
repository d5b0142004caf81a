/**
 * `npm run soak`: a real service, or several on one PostgreSQL, and real verifiers as processes, struck by faults while
 * tokens are revoked, and a judge of everything they recorded. Ends with exit code 1 when the promise was broken, or too
 * little was exercised.
 */
import { parseArgs } from 'node:util'
import { leakCheck } from './leak/leak-check.ts'
import { leakSummary } from './report/leak-summary.ts'
import { summary } from './report/summary.ts'
import { soak } from './soak.ts'
import { inTemporaryFolder } from './temporary-folder.ts'

const USAGE = `npm run soak -- [--postgres] [--seed N] [--verifications N] [--revocations N] [--strikes N] [--minutes N]
npm run soak -- --leak [--verifications N] [--tokens N] [--reconnections N]
`

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    verifications: { type: 'string' },
    revocations: { type: 'string', default: '1000' },
    postgres: { type: 'boolean', default: false },
    strikes: { type: 'string' },
    minutes: { type: 'string' },
    leak: { type: 'boolean', default: false },
    tokens: { type: 'string', default: '100000' },
    reconnections: { type: 'string', default: '1000' },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) process.stdout.write(USAGE)
else process.exitCode = await (values.leak ? runLeakCheck() : runSoak())

async function runSoak(): Promise<number> {
  const { seed, postgres, revocations } = values
  // Where there is more that can go wrong, all of it takes longer.
  const { verifications = '1000000', strikes = postgres ? '20' : '40', minutes = postgres ? '30' : '10' } = values
  const outcome = await inTemporaryFolder((folder) =>
    soak({
      seed: Number(seed),
      verifications: Number(verifications),
      revocations: Number(revocations),
      strikes: Number(strikes),
      atMostMs: Number(minutes) * 60_000,
      database: postgres ? 'postgres' : 'sqlite',
      onProgress: (reached) =>
        console.error(
          `${Math.round(reached.tookMs / 1000)} s: ${reached.verifications} verifications, ${reached.revocations} revocations answered, ${reached.strikes} faults of each kind`,
        ),
      folder,
    }),
  )
  console.log(`seed ${seed}\n\n${summary(outcome)}`)
  return outcome.findings.violations.total === 0 && outcome.shortcomings.length === 0 ? 0 : 1
}

async function runLeakCheck(): Promise<number> {
  const { verifications = '10000000', tokens, reconnections } = values
  const outcome = await inTemporaryFolder((folder) =>
    leakCheck({
      verifications: Number(verifications),
      tokens: Number(tokens),
      reconnections: Number(reconnections),
      folder,
    }),
  )
  console.log(leakSummary(outcome))
  return outcome.growth.every(({ isFlat }) => isFlat) ? 0 : 1
}
