import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkHistory } from '../check/check-history.ts'
import { type Required, shortcomings } from '../check/shortcomings.ts'
import type { RunHistory } from '../history/run-history.ts'
import { answered, ended, history, issued, LAPSED, REVOKED, VALID, verified, verifierHistory } from './history.ts'

const REQUIRED: Required = { verifications: 4, revocations: 1, faultKinds: ['delayed'], verifiers: 1 }

const VERIFICATIONS = [
  verified(0, 20, 30, VALID),
  verified(0, 210, 220, REVOKED),
  verified(0, 500, 510, REVOKED),
  verified(1, 520, 530, VALID),
]

const ENOUGH = history(VERIFICATIONS, {
  tokens: [issued(), issued()],
  endings: [ended(answered(100, 200))],
  faults: [{ kind: 'delayed', verifier: 0, beganNs: 150, endedNs: 400 }],
  sweepFromNs: 500,
})

function foundIn(more: Partial<RunHistory>, required: Partial<Required> = {}): string[] {
  const run = { ...ENOUGH, ...more }
  return shortcomings(run, checkHistory(run), { ...REQUIRED, ...required })
}

test('a run that exercised what it should has no shortcomings', () => {
  assert.deepEqual(foundIn({}), [])
})

test('a run is too little with too few verifications, revocations or verifiers', () => {
  assert.deepEqual(foundIn({}, { verifications: 5, revocations: 2, verifiers: 2 }), [
    'verifications: 4 instead of 5',
    'revocations answered: 1 instead of 2',
    'verifiers: 1 instead of 2',
  ])
})

test('a run is too little when a kind of fault did not strike, or not during a revocation', () => {
  assert.deepEqual(foundIn({ faults: [] }), [
    'faults of kind delayed: 0 instead of 1',
    'revocations during faults of kind delayed: 0 instead of 1',
  ])
  assert.deepEqual(foundIn({ faults: [{ kind: 'delayed', verifier: 0, beganNs: 10, endedNs: 20 }] }), [
    'revocations during faults of kind delayed: 0 instead of 1',
  ])
})

test('a run is too little when nothing was verified right after a revocation', () => {
  const verifications = VERIFICATIONS.map((each) => (each.beganNs > 200 ? later(each) : each))
  assert.deepEqual(foundIn({ verifiers: [verifierHistory(verifications)] }), [
    'verifications right after a revocation was answered: 0 instead of 1',
  ])
})

test('a run is too little when a verifier accepted nothing, or rejected nothing', () => {
  const accepting = VERIFICATIONS.filter(({ outcome }) => outcome === VALID)
  const rejecting = VERIFICATIONS.filter(({ outcome }) => outcome === REVOKED)
  const verifiers = [verifierHistory(accepting), verifierHistory(rejecting, { verifier: 1 })]
  const found = foundIn({ verifiers, sweepFromNs: 0, tokens: [issued()] }, { verifications: 0 })
  assert.ok(found.includes('rejected by verifier 0: 0 instead of 1'))
  assert.ok(found.includes('accepted by verifier 1: 0 instead of 1'))
})

test('a run is too little when a verifier decided nothing after a fault, its own or one of the service', () => {
  for (const verifier of [0, null]) {
    const faults = [{ kind: 'delayed', verifier, beganNs: 150, endedNs: 600 }]
    assert.deepEqual(foundIn({ faults }), ['verifier 0 decided nothing after a delayed'])
  }
})

test('a run is too little when a verifier did not decide about every token in the end', () => {
  const verifications = [...VERIFICATIONS.slice(0, 3), verified(1, 520, 530, LAPSED)]
  assert.deepEqual(foundIn({ verifiers: [verifierHistory(verifications)] }), [
    'tokens that verifier 0 decided about in the sweep: 1 instead of 2',
  ])
  assert.deepEqual(foundIn({ sweepFromNs: null }), [
    'the tokens were not swept',
    'tokens that verifier 0 decided about in the sweep: 0 instead of 2',
  ])
})

function later<T extends { readonly beganNs: number; readonly endedNs: number }>(each: T): T {
  return { ...each, beganNs: each.beganNs + 1e9, endedNs: each.endedNs + 1e9 }
}
