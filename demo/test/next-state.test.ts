import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DemoModel } from '../model/demo-model.ts'
import { leaseLeftMs, waitLeftMs } from '../model/leases.ts'
import { accepted, played, REVOKED, REVOKED_WHILE_FROZEN, refused, reported } from './played.ts'

test('a report is taken in by the revocations it tells of, and by no other', () => {
  const { revocations } = played(
    ...REVOKED_WHILE_FROZEN,
    reported(1, 6_000, refused(2, 2_101, 2_102), accepted(3, 5_999)),
  )
  assert.deepEqual(
    revocations.map(({ token, seen }) => [token, seen[0]?.token]),
    [
      [1, 1],
      [2, 2],
    ],
  )
})

test('freezing and waking concern the one process', () => {
  const frozen = played(...REVOKED, { type: 'frozen', process: 3, atMs: 2_000 })
  assert.deepEqual(
    frozen.verifiers.filter(({ frozenMs }) => frozenMs !== null).map(({ verifier }) => verifier),
    [3],
  )
  assert.equal(frozen.serviceFrozenMs, null)
  const both = played(...REVOKED, { type: 'frozen', process: 'service', atMs: 2_000 })
  assert.equal(both.serviceFrozenMs, 2_000)
  assert(both.verifiers.every(({ frozenMs }) => frozenMs === null))
})

test('the lease of a frozen verifier runs down, and the service waits for no longer than four fifths of one', () => {
  const state = played(...REVOKED_WHILE_FROZEN)
  const third = state.verifiers[2]
  assert(third)
  assert.equal(leaseLeftMs(third, 1_990), 3_000)
  assert.equal(leaseLeftMs(third, 3_990), 1_000)
  assert.equal(leaseLeftMs(third, 60_000), 0)
  assert.equal(waitLeftMs(state, 2_000, 3_000), 3_000)
  assert.equal(waitLeftMs(state, 2_000, 60_000), 0)
})

test('whoever waits for something in the state is told when it is there, or that it never was', async () => {
  const model = new DemoModel(8, 5_000)
  const started = model.until(({ isStarted }) => isStarted, 60_000)
  model.apply({ type: 'started' })
  await started
  await assert.rejects(
    model.until(({ token }) => token === 7, 1),
    /did not happen in 1 ms/,
  )
})
