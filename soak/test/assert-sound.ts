import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { summary } from '../report/summary.ts'
import type { SoakOutcome } from '../soak.ts'

/** What a run must have found, one guarantee after the other. */
export async function assertSound(t: TestContext, seed: number, outcome: SoakOutcome): Promise<void> {
  const { findings, shortcomings } = outcome
  const { violations } = findings
  t.diagnostic(`seed ${seed}\n${summary(outcome)}`)

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
  await t.test('every revocation is answered in the end', () => assert.equal(violations.count('unanswered'), 0))
  await t.test('every verifier decides again after every fault, and about every token in the end', () =>
    assert.deepEqual(shortcomings, []),
  )
  await t.test('every record can be true', () => assert.equal(violations.total, 0))
}
