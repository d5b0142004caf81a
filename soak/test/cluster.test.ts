import { test } from 'node:test'
import { noBinaries } from '../../postgres/binaries.ts'
import type { FaultKind } from '../faults/fault-kinds.ts'
import { soak } from '../soak.ts'
import { inTemporaryFolder } from '../temporary-folder.ts'
import { assertSound } from './assert-sound.ts'

const SEED = Number(process.env.RESCIND_TEST_SEED ?? 20_261_123)
const GOALS = { verifications: 50_000, revocations: 50, strikes: 1 }
/** What is new with several services on one database, and of what fails between them what leaves the most in doubt. */
const ROUND: readonly FaultKind[] = [
  'service_killed',
  'backend_killed',
  'database_killed',
  'failover',
  'database_cut_midway',
]

test('while services on one PostgreSQL, their database and what is between them fail,', {
  skip: noBinaries(),
}, async (t) => {
  const outcome = await inTemporaryFolder((folder) =>
    soak({ ...GOALS, seed: SEED, atMostMs: 90_000, folder, database: 'postgres', round: ROUND, verifiers: 3 }),
  )
  await assertSound(t, SEED, outcome)
})
