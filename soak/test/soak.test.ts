import { test } from 'node:test'
import { soak } from '../soak.ts'
import { inTemporaryFolder } from '../temporary-folder.ts'
import { assertSound } from './assert-sound.ts'

const SEED = Number(process.env.RESCIND_TEST_SEED ?? 20_261_122)
const GOALS = { verifications: 100_000, revocations: 100, strikes: 1 }

test('while processes are killed and stopped, and their connections fail in every way,', async (t) => {
  const outcome = await inTemporaryFolder((folder) =>
    soak({ ...GOALS, seed: SEED, atMostMs: 90_000, folder, database: 'sqlite' }),
  )
  await assertSound(t, SEED, outcome)
})
