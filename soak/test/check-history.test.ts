import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkHistory } from '../check/check-history.ts'
import type { Attempt, RunHistory } from '../history/run-history.ts'
import {
  answered,
  ended,
  history,
  issued,
  LAPSED,
  REVOKED,
  rejected,
  VALID,
  verified,
  verifierHistory,
} from './history.ts'

const REVOCATION = { endings: [ended(answered(100, 200))] }
const BROKEN: Attempt = { sentNs: 50, endedNs: 60, outcome: 'broken' }
const REFUSED: Attempt = { sentNs: 70, endedNs: 80, outcome: 'refused' }

function violationsOf(run: RunHistory): string[] {
  return checkHistory(run).violations.described.map(({ kind }) => kind)
}

describe('a history violates the promise when', () => {
  it('a verification that began after the 201 accepts', () => {
    assert.deepEqual(violationsOf(history([verified(0, 201, 210, VALID)], REVOCATION)), ['late_accept'])
  })

  it('it began after the first of several 201s', () => {
    const endings = [ended(answered(100, 300)), ended(answered(110, 200), answered(400, 500))]
    assert.deepEqual(violationsOf(history([verified(0, 250, 260, VALID)], { endings })), ['late_accept'])
  })

  it('another process of the same verifier accepts what was ended before it started', () => {
    const verifiers = [
      verifierHistory([verified(0, 210, 220, REVOKED)]),
      verifierHistory([verified(0, 900, 901, VALID)], { incarnation: 1 }),
    ]
    assert.deepEqual(violationsOf(history([], { ...REVOCATION, verifiers })), ['late_accept'])
  })

  for (const [name, target] of [
    ['member', { kind: 'member', memberId: 'm' }],
    ['business', { kind: 'business', businessId: 'b' }],
  ] as const) {
    it(`a token is accepted after all tokens of its ${name} were ended`, () => {
      const endings = [{ target, attempts: [answered(100, 200)] }]
      assert.deepEqual(violationsOf(history([verified(0, 201, 210, VALID)], { endings })), ['late_accept'])
    })
  }

  it('a token is rejected that nobody ended', () => {
    assert.deepEqual(violationsOf(history([verified(0, 20, 30, REVOKED)])), ['false_rejection'])
  })

  it('a token is rejected before anybody sent what ends it', () => {
    assert.deepEqual(violationsOf(history([verified(0, 20, 99, REVOKED)], REVOCATION)), ['false_rejection'])
  })

  it('a token is rejected because another member of the business was ended', () => {
    const endings = [{ target: { kind: 'member', memberId: 'another' } as const, attempts: [answered(100, 200)] }]
    assert.deepEqual(violationsOf(history([verified(0, 150, 160, REVOKED)], { endings })), ['false_rejection'])
  })

  it('a token is rejected because of an end of all tokens that was over before it was issued', () => {
    const tokens = [{ issued: { sentNs: 300, answeredNs: 310, memberId: 'm', businessId: 'b' } }]
    const endings = [{ target: { kind: 'member', memberId: 'm' } as const, attempts: [answered(100, 200)] }]
    const run = history([verified(0, 320, 330, REVOKED)], { tokens, endings })
    assert.deepEqual(violationsOf(run), ['false_rejection'])
  })

  it('a token that was ended is rejected for something else', () => {
    const run = history([verified(0, 150, 160, rejected('bad_signature'))], REVOCATION)
    assert.deepEqual(violationsOf(run), ['wrong_reason'])
  })

  it('a token is accepted that was never issued', () => {
    const run = history([verified(0, 20, 30, VALID)], { tokens: [{ issued: null }] })
    assert.deepEqual(violationsOf(run), ['accepted_unissued'])
  })

  it('a verifier that decides alone accepts what it rejected before, even before the 201', () => {
    const verifications = [verified(0, 110, 120, REVOKED), verified(0, 130, 140, VALID)]
    const verifiers = [verifierHistory(verifications, { decidesAlone: true })]
    assert.deepEqual(violationsOf(history([], { ...REVOCATION, verifiers })), ['taken_back'])
  })

  it('a revocation was never answered', () => {
    assert.deepEqual(violationsOf(history([], { endings: [ended(BROKEN, REFUSED)] })), ['unanswered'])
  })

  for (const [name, verifications] of [
    ['a verification ended before it began', [verified(0, 40, 30, VALID)]],
    ['a verification began before the token could be known', [verified(0, -1, 30, VALID)]],
    ['a verification is of a token that is not there', [verified(1, 20, 30, VALID)]],
    ['verifications are not in the order of their ends', [verified(0, 20, 40, VALID), verified(0, 20, 30, VALID)]],
    ['a moment is no number', [verified(0, Number.NaN, 30, VALID)]],
  ] as const) {
    it(name, () => assert.deepEqual(violationsOf(history(verifications)), ['impossible']))
  }
})

describe('a history keeps the promise when', () => {
  it('an accepting verification began before the 201 and ended long after it', () => {
    const { violations, tally } = checkHistory(history([verified(0, 199, 9_000, VALID)], REVOCATION))
    assert.equal(violations.total, 0)
    assert.equal(tally.acceptedAcross, 1)
  })

  it('a verification began with the arrival of the 201', () => {
    assert.deepEqual(violationsOf(history([verified(0, 200, 210, VALID)], REVOCATION)), [])
  })

  it('a token is rejected or accepted between the request that ends it and its answer', () => {
    const run = history([verified(0, 90, 101, REVOKED), verified(0, 150, 160, VALID)], REVOCATION)
    assert.deepEqual(violationsOf(run), [])
  })

  it('a request without an answer took effect, or did not', () => {
    const run = history([verified(0, 50, 51, REVOKED), verified(0, 90, 95, VALID)], {
      endings: [ended(BROKEN, REFUSED, answered(100, 200))],
    })
    assert.deepEqual(violationsOf(run), [])
  })

  it('nothing can be decided, whenever that is', () => {
    const verifications = [verified(0, 20, 30, LAPSED), verified(0, 150, 160, LAPSED), verified(0, 900, 901, LAPSED)]
    assert.deepEqual(violationsOf(history(verifications, REVOCATION)), [])
  })

  it('what was never issued is rejected, for whatever reason', () => {
    const verifications = [verified(0, 20, 30, rejected('bad_signature')), verified(0, 20, 31, rejected('unknown_key'))]
    assert.deepEqual(violationsOf(history(verifications, { tokens: [{ issued: null }] })), [])
  })

  it('a token that was issued while all tokens of its member were ended turns out either way', () => {
    const tokens = [issued(), issued()]
    const endings = [{ target: { kind: 'member', memberId: 'm' } as const, attempts: [answered(5, 200)] }]
    const run = history([verified(0, 300, 310, VALID), verified(1, 300, 310, REVOKED)], { tokens, endings })
    assert.deepEqual(violationsOf(run), [])
  })

  it('a verifier that asks hears of a revocation from the service before it applies it', () => {
    const verifications = [verified(0, 110, 120, REVOKED), verified(0, 130, 140, VALID)]
    assert.deepEqual(violationsOf(history(verifications, REVOCATION)), [])
  })

  it('a verification that was under way while a verifier rejected accepts', () => {
    const verifications = [verified(0, 110, 120, REVOKED), verified(0, 115, 140, VALID)]
    const verifiers = [verifierHistory(verifications, { decidesAlone: true })]
    assert.deepEqual(violationsOf(history([], { ...REVOCATION, verifiers })), [])
  })
})

describe('what was checked', () => {
  it('is counted', () => {
    const verifications = [
      verified(0, 20, 30, VALID),
      verified(0, 120, 130, REVOKED),
      verified(0, 140, 150, LAPSED),
      verified(0, 201, 210, REVOKED),
      verified(0, 200e6, 201e6, REVOKED),
    ]
    const faults = [
      { kind: 'delayed', verifier: 0, beganNs: 90, endedNs: 101 },
      { kind: 'delayed', verifier: 0, beganNs: 201, endedNs: 301 },
      { kind: 'service_killed', verifier: null, beganNs: 90, endedNs: 99 },
    ]
    const endings = [ended(BROKEN, REFUSED, answered(100, 200))]
    const { tally, revocations, faults: struck } = checkHistory(history(verifications, { endings, faults }))
    assert.deepEqual([tally.verifications, tally.accepted, tally.rejected, tally.undecided], [5, 1, 3, 1])
    assert.deepEqual([tally.soonAfter, tally.acceptedAcross], [1, 0])
    assert.deepEqual(
      tally.reasons,
      new Map([
        ['rejected: revoked', 3],
        ['undecided: lapsed', 1],
      ]),
    )
    assert.deepEqual(
      [revocations.answered, revocations.attempts, revocations.refused, revocations.broken, revocations.bulk],
      [1, 3, 1, 1, 0],
    )
    assert.deepEqual(revocations.answerMs, { p50: 100e-6, p99: 100e-6, max: 100e-6 })
    assert.deepEqual(revocations.wholeMs, { p50: 150e-6, p99: 150e-6, max: 150e-6 })
    assert.deepEqual(struck.get('delayed'), { struck: 2, revocations: 1 })
    assert.deepEqual(struck.get('service_killed'), { struck: 1, revocations: 0 })
  })

  it('is described for the first violations only, and counted for all', () => {
    const verifications = Array.from({ length: 100 }, (_, each) => verified(0, 300, 400 + each, VALID))
    const { violations } = checkHistory(history(verifications, REVOCATION))
    assert.equal(violations.total, 100)
    assert.equal(violations.count('late_accept'), 100)
    assert.equal(violations.described.length, 20)
    assert.match(violations.described[0]?.where ?? '', /^0\.0: token 0 valid from 300 to 400 ns$/)
  })
})
