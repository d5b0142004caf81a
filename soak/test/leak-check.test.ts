import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leakCheck } from '../leak/leak-check.ts'
import { leakSummary } from '../report/leak-summary.ts'
import { inTemporaryFolder } from '../temporary-folder.ts'

const VERIFICATIONS = 300_000
const TOKENS = 4_000
const RECONNECTIONS = 60

test('a verifier holds no more memory after many verifications, tokens and reconnections', async (t) => {
  const goals = { verifications: VERIFICATIONS, tokens: TOKENS, reconnections: RECONNECTIONS }
  const outcome = await inTemporaryFolder((folder) => leakCheck({ ...goals, folder }))
  t.diagnostic(`\n${leakSummary(outcome)}`)
  const { growth, counters, revocations } = outcome
  assert.deepEqual(
    growth.filter(({ isFlat }) => !isFlat),
    [],
  )
  assert.ok(counters.valid + counters.rejected >= VERIFICATIONS)
  assert.ok(counters.rejected > 0 && revocations > 0)
  assert.ok(counters.connections > RECONNECTIONS)
})
