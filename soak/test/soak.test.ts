import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FAULT_KIND_LIST } from '../faults/fault-kinds.ts'
import { summary } from '../report/summary.ts'
import { soak } from '../soak.ts'
import { inTemporaryFolder } from '../temporary-folder.ts'

const SEED = Number(process.env.RESCIND_TEST_SEED ?? 20_261_122)
const VERIFICATIONS = 100_000
const REVOCATIONS = 100

test('while processes are killed and stopped, and their connections fail in every way,', async (t) => {
  const outcome = await inTemporaryFolder((folder) =>
    soak({
      ...{ seed: SEED, verifications: VERIFICATIONS, revocations: REVOCATIONS, strikes: 1 },
      ...{ atMostMs: 90_000, folder, database: 'sqlite' },
    }),
  )
  const { findings, shortcomings } = outcome
  const { violations, revocations, tally, faults } = findings
  t.diagnostic(`seed ${SEED}\n${summary(outcome)}`)

  await t.test('no verification that begins after the 201 of a revocation accepts the token', () => {
    assert.equal(violations.count('late_accept'), 0)
    assert.equal(violations.count('taken_back'), 0)
  })
  await t.test('no token is rejected that nobody has begun to revoke', () => {
    assert.equal(violations.count('false_rejection'), 0)
    assert.equal(violations.count('wrong_reason'), 0)
  })
  await t.test('no token is accepted that was never issued', () =>
    assert.equal(violations.count('accepted_unissued'), 0),
  )
  await t.test('every revocation is answered in the end', () => {
    assert.equal(violations.count('unanswered'), 0)
    assert.ok(revocations.answered >= REVOCATIONS)
  })
  await t.test('every verifier decides again after every fault, and about every token in the end', () => {
    assert.deepEqual(shortcomings, [])
    for (const kind of FAULT_KIND_LIST) assert.ok((faults.get(kind)?.revocations ?? 0) > 0, kind)
  })
  await t.test('every record can be true, and there are enough of them', () => {
    assert.equal(violations.total, 0)
    assert.ok(tally.verifications >= VERIFICATIONS)
  })
})
