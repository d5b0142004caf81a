import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Unavailable } from '@rescind/protocol'
import { LEASE_MS, NodeFixture, RENEWAL_MS, USABLE_MS } from './node-fixture.ts'

describe('an entry is in force', () => {
  test('at once where nobody else decides', async () => {
    const fixture = await NodeFixture.joined()
    const waiting = await fixture.wait(fixture.commit())
    assert.deepEqual(waiting.outcome(), { applied: 0, waitedOut: 0, waitedMs: 0 })
  })

  test('when this node has applied it itself', async () => {
    const fixture = await NodeFixture.joined()
    const waiting = await fixture.wait(fixture.commitElsewhere())
    assert.ok(!waiting.outcome())
    fixture.catchUp()
    await fixture.time.settle()
    assert.ok(waiting.outcome())
  })

  test('when every attached verifier has applied it', async () => {
    const fixture = await NodeFixture.joined()
    for (const id of ['v', 'w']) await fixture.attach(id)
    const seq = fixture.commit()
    const waiting = await fixture.wait(seq)
    fixture.time.advance(3)
    fixture.node.acknowledged('v', seq)
    await fixture.time.settle()
    assert.ok(!waiting.outcome())
    fixture.node.acknowledged('w', seq)
    await fixture.time.settle()
    assert.deepEqual(waiting.outcome(), { applied: 2, waitedOut: 0, waitedMs: 3 })
  })

  test('when a verifier whose connection closed has certainly lapsed, and not before', async () => {
    const fixture = await NodeFixture.joined()
    await fixture.attach('v')
    fixture.time.advance(1_000)
    const waiting = await fixture.wait(fixture.commit())
    fixture.node.disconnected('v')
    await fixture.time.settle(USABLE_MS - 1_001)
    assert.ok(!waiting.outcome())
    await fixture.time.settle(1)
    assert.deepEqual(waiting.outcome(), { applied: 0, waitedOut: 1, waitedMs: USABLE_MS - 1_000 })
    assert.equal(fixture.node.attachments.size, 0)
  })

  test('when a verifier has said goodbye', async () => {
    const fixture = await NodeFixture.joined()
    await fixture.attach('v')
    const waiting = await fixture.wait(fixture.commit())
    fixture.node.detached('v')
    await fixture.time.settle()
    assert.deepEqual(waiting.outcome(), { applied: 0, waitedOut: 0, waitedMs: 0 })
  })

  test('when the last lease that does not name it has ended, though the verifier renews and never acknowledges', async () => {
    const fixture = await NodeFixture.joined()
    await fixture.attach('v')
    const waiting = await fixture.wait(fixture.commit())
    for (let ms = 0; ms < USABLE_MS; ms += 1_000) {
      assert.ok(!waiting.outcome())
      fixture.renew('v')
      fixture.commit()
      await fixture.time.settle(1_000)
    }
    assert.deepEqual(waiting.outcome(), { applied: 0, waitedOut: 1, waitedMs: USABLE_MS })
  })

  test('when a verifier that was away has applied it, over whichever connection its leases came', async () => {
    for (const isCommittedFirst of [true, false]) {
      const fixture = await NodeFixture.joined()
      await fixture.attach('v')
      fixture.node.disconnected('v')
      await fixture.attach('w', ['u', 'v'])
      fixture.node.disconnected('w')
      if (!isCommittedFirst) await fixture.attach('x', ['u', 'v', 'w'])
      const seq = fixture.commit()
      const waiting = await fixture.wait(seq)
      if (isCommittedFirst) await fixture.node.attach('x', ['u', 'v', 'w'])
      await fixture.time.settle()
      assert.ok(!waiting.outcome(), 'that it is back does not mean that it has applied anything')
      fixture.time.advance(2)
      fixture.node.acknowledged('x', seq)
      await fixture.time.settle()
      assert.deepEqual(waiting.outcome(), { applied: 1, waitedOut: 0, waitedMs: 2 })
    }
  })

  test('not before a verifier that was away has lapsed, when it is back and was granted a lease, and applies nothing', async () => {
    const fixture = await NodeFixture.joined()
    await fixture.attach('v')
    fixture.node.disconnected('v')
    const waiting = await fixture.wait(fixture.commit())
    await fixture.node.attach('w', ['v'])
    fixture.renew('w')
    await fixture.time.settle(USABLE_MS - 1)
    assert.ok(!waiting.outcome(), 'a new lease releases no former one')
    await fixture.time.settle(1)
    assert.deepEqual(waiting.outcome()?.waitedOut, 1)
  })

  test('when a verifier that was away has come back and said goodbye, whatever came over the connection before', async () => {
    const fixture = await NodeFixture.joined()
    await fixture.attach('v')
    fixture.node.disconnected('v')
    const waiting = await fixture.wait(fixture.commit())
    await fixture.node.attach('w', ['v'])
    fixture.node.detached('w')
    await fixture.time.settle()
    assert.deepEqual(waiting.outcome(), { applied: 0, waitedOut: 0, waitedMs: 0 })
  })

  test('when a renewal over a connection that its verifier has left was granted too, once that has applied it', async () => {
    const fixture = await NodeFixture.joined()
    await fixture.attach('v')
    await fixture.attach('w', ['v'])
    fixture.renew('v')
    const seq = fixture.commit()
    const waiting = await fixture.wait(seq)
    fixture.node.acknowledged('w', seq)
    await fixture.time.settle()
    assert.equal(waiting.outcome()?.waitedOut, 0)
  })

  test('whatever somebody else has applied, or applied on a connection that does not name the one before', async () => {
    const fixture = await NodeFixture.joined()
    await fixture.attach('v')
    fixture.node.disconnected('v')
    const seq = fixture.commit()
    const waiting = await fixture.wait(seq)
    await fixture.attach('w', ['u'])
    await fixture.time.settle()
    assert.ok(!waiting.outcome(), 'the lease of the connection before is not covered by that of the new one')
    await fixture.time.settle(USABLE_MS)
    assert.deepEqual(waiting.outcome()?.waitedOut, 1)
  })

  test('only after the members were read once more, when they were being read as it was committed', async () => {
    const fixture = await NodeFixture.joined()
    const { membership, time } = fixture
    const letMembers = membership.hold('members')
    await time.settle(RENEWAL_MS)
    membership.put('other')
    const waiting = await fixture.wait(fixture.commit())
    letMembers()
    await time.settle()
    assert.ok(!waiting.outcome(), 'that reading did not see the other node')
    await time.settle(LEASE_MS - 1)
    assert.ok(!waiting.outcome())
    await time.settle(1)
    assert.deepEqual(waiting.outcome(), { applied: 0, waitedOut: 1, waitedMs: LEASE_MS })
  })

  test('soon after another node has reported it, or is gone', async () => {
    for (const change of ['report', 'leave'] as const) {
      const fixture = await NodeFixture.joined()
      const { membership, time } = fixture
      membership.put('other')
      const seq = fixture.commit()
      const waiting = await fixture.wait(seq)
      await time.settle(1_000)
      assert.ok(!waiting.outcome())
      if (change === 'report') membership.put('other', { inForceSeq: seq })
      else membership.rows.delete('other')
      await time.settle(250)
      assert.equal(waiting.outcome()?.applied, change === 'report' ? 1 : 0)
      assert.equal(waiting.outcome()?.waitedOut, change === 'report' ? 0 : 1)
    }
  })

  test('after one lease of the row of a node that keeps silent, whatever the lease of this one is', async () => {
    const fixture = await NodeFixture.joined()
    fixture.membership.put('other', { leaseMs: 300_000 })
    const waiting = await fixture.wait(fixture.commit())
    await fixture.time.settle(299_999)
    assert.ok(!waiting.outcome())
    await fixture.time.settle(1)
    assert.equal(waiting.outcome()?.waitedOut, 1)
  })

  test('as far as can be told: when the members cannot be read, nothing is confirmed', async () => {
    const fixture = await NodeFixture.joined()
    fixture.membership.failing.add('members')
    const waiting = await fixture.wait(fixture.commit())
    assert.ok(!waiting.outcome())
    assert.ok(waiting.error() instanceof Unavailable)
  })

  test('and everyone who could not be reached is counted, in whatever order they lapse', async () => {
    const fixture = await NodeFixture.joined()
    await fixture.attach('v')
    fixture.node.disconnected('v')
    await fixture.time.settle(RENEWAL_MS)
    await fixture.attach('w')
    const waiting = await fixture.wait(fixture.commit())
    // Something else happens just as the first of them lapses.
    fixture.time.after(USABLE_MS - RENEWAL_MS, () => fixture.node.acknowledged('x', 1))
    await fixture.attach('x')
    await fixture.time.settle(USABLE_MS)
    assert.equal(waiting.outcome()?.waitedOut, 2)
  })
})

describe('of the other nodes', () => {
  test('one whose counter stands still for a whole lease of its row is removed, as it was last seen', async () => {
    const fixture = await NodeFixture.joined()
    const { membership, time } = fixture
    membership.put('dead', { leaseMs: 10_000, renewals: 7 })
    membership.put('alive', { leaseMs: 10_000 })
    for (let ms = 0; ms <= 30_000; ms += 1_000) {
      membership.put('alive', { renewals: ms })
      await time.settle(1_000)
    }
    assert.deepEqual(
      membership.calls.filter((call) => call.startsWith('remove')),
      ['remove dead 7'],
    )
    assert.ok(membership.rows.has('alive') && !membership.rows.has('dead'))
  })

  test('each is told what is in force here, which is never more than every verifier of this node has applied', async () => {
    const fixture = await NodeFixture.joined()
    const { membership, time } = fixture
    await fixture.attach('v')
    membership.put('other')
    await time.settle(RENEWAL_MS)
    const seq = fixture.commit()
    await time.settle(RENEWAL_MS)
    assert.equal(membership.rows.get('node-1')?.inForceSeq, 0)
    fixture.node.acknowledged('v', seq)
    await time.settle()
    assert.equal(membership.rows.get('node-1')?.inForceSeq, seq)
  })

  test('none is told while that fails, and it is tried again with the next renewal at the latest', async () => {
    const fixture = await NodeFixture.joined()
    const { membership, time, troubles } = fixture
    membership.put('other')
    await time.settle(RENEWAL_MS)
    membership.failing.add('report')
    fixture.commit()
    await time.settle()
    assert.equal(troubles.length, 1)
    membership.failing.clear()
    await time.settle(RENEWAL_MS)
    assert.equal(membership.rows.get('node-1')?.inForceSeq, 1)
  })
})
