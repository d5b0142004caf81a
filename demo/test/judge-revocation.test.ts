import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DemoEvent } from '../model/demo-event.ts'
import { isBroken, judgeRevocation } from '../model/judge-revocation.ts'
import { accepted, allReported, played, REVOKED, REVOKED_WHILE_FROZEN, refused, reported } from './played.ts'

function judged(...events: readonly DemoEvent[]) {
  const { revocations } = played(...events)
  const last = revocations.at(-1)
  assert(last)
  return { ...judgeRevocation(last), isBroken: isBroken(revocations) }
}

test('an accept that began after the 201 breaks the promise, and the verifier is named', () => {
  const { acceptedLater, isBroken } = judged(...REVOKED, reported(5, 1_010, accepted(1, 1_003.001)))
  assert.deepEqual(acceptedLater, [5])
  assert(isBroken)
})

test('an accept that began before the 201 breaks nothing, whenever it is told', () => {
  const { acceptedLater, lastAcceptMs, isBroken } = judged(...REVOKED, reported(5, 9_000, accepted(1, 1_002.999)))
  assert.deepEqual(acceptedLater, [])
  assert(Math.abs((lastAcceptMs ?? 0) - 2.999) < 1e-6)
  assert(!isBroken)
})

test('no accept counts as later while there is no 201', () => {
  const events = REVOKED.filter(({ type }) => type !== 'answered')
  assert.deepEqual(judged(...events, reported(5, 9_000, accepted(1, 8_999))).acceptedLater, [])
})

test('a refusal before anybody asked for it breaks the promise too', () => {
  const { refusedEarlier, isBroken } = judged(...REVOKED, reported(2, 1_010, refused(1, 990, 999)))
  assert.deepEqual(refusedEarlier, [2])
  assert(isBroken)
})

test('what a verifier refuses on waking is told apart from what the others did at once', () => {
  const woken: DemoEvent[] = [
    ...REVOKED_WHILE_FROZEN,
    { type: 'woken', process: 3, atMs: 9_000 },
    reported(3, 9_050, refused(2, 1_999, 9_040)),
  ]
  const { refused: refusals, refusedOnWaking, refusedWithinMs, acceptedLater } = judged(...woken)
  assert.deepEqual(
    { refusals, refusedOnWaking, refusedWithinMs },
    { refusals: 8, refusedOnWaking: 1, refusedWithinMs: 2 },
  )
  assert.deepEqual(acceptedLater, [])
  assert.equal(played(...woken).revocations[1]?.seen[2]?.refusedAfterWakingMs, 40)
})

test('being frozen and woken again later changes nothing about what was seen', () => {
  const again: DemoEvent[] = [
    ...REVOKED,
    ...allReported(1_010, refused(1, 1_000.5, 1_001.5)),
    { type: 'frozen', process: 3, atMs: 2_000 },
    { type: 'woken', process: 3, atMs: 3_000 },
    reported(3, 3_010, refused(1, 1_000.5, 1_001.5)),
  ]
  assert.equal(judged(...again).refusedOnWaking, 0)
})
