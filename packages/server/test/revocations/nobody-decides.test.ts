import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualTime } from '../../../protocol/test/manual-time.ts'
import { nobodyDecides } from '../../revocations/nobody-decides.ts'
import { FakeMembership } from './fake-membership.ts'

function watch() {
  const [time, membership] = [new ManualTime(), new FakeMembership()]
  const start = () => {
    const outcome: { value?: boolean } = {}
    nobodyDecides({ membership, monotonicMs: () => time.monotonicMs(), timers: time }).then((value) => {
      outcome.value = value
    })
    return outcome
  }
  return { time, membership, start }
}

test('where there is no member, nobody decides', async () => {
  const { time, start } = watch()
  const outcome = start()
  await time.settle()
  assert.equal(outcome.value, true)
})

test('a member that stands still is waited for as long as its row says, and removed', async () => {
  const { time, membership, start } = watch()
  membership.put('a', { leaseMs: 2_000, renewals: 7 })
  membership.put('b', { leaseMs: 5_000 })
  const outcome = start()
  await time.settle(4_900)
  assert.equal(outcome.value, undefined)
  assert.deepEqual([...membership.rows.keys()], ['b'])
  await time.settle(200)
  assert.equal(outcome.value, true)
  assert.equal(membership.rows.size, 0)
})

test('a member that renews, joins, or renews as it is removed, is one that works', async () => {
  const changes: readonly ((membership: FakeMembership) => void)[] = [
    (membership) => membership.put('a', { renewals: 8 }),
    (membership) => membership.put('b'),
  ]
  for (const change of changes) {
    const { time, membership, start } = watch()
    membership.put('a', { leaseMs: 2_000, renewals: 7 })
    const outcome = start()
    await time.settle(1_500)
    change(membership)
    await time.settle(100)
    assert.equal(outcome.value, false)
    assert.ok(membership.rows.has('a'))
  }
  const { time, membership, start } = watch()
  membership.put('a', { leaseMs: 2_000, renewals: 7 })
  const outcome = start()
  await time.settle(1_950)
  const letGo = membership.hold('members')
  await time.settle(100)
  // Read before, and removed after.
  membership.put('a', { renewals: 8 })
  letGo()
  await time.settle(200)
  assert.equal(outcome.value, false)
  assert.ok(membership.rows.has('a'))
})

test('a member that leaves is not waited for', async () => {
  const { time, membership, start } = watch()
  membership.put('a', { leaseMs: 300_000 })
  const outcome = start()
  await time.settle(1_000)
  membership.rows.delete('a')
  await time.settle(100)
  assert.equal(outcome.value, true)
})
