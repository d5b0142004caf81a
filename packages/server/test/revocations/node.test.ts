import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Unavailable } from '@rescind/protocol'
import { LEASE_MS, NodeFixture, RENEWAL_MS, USABLE_MS } from './node-fixture.ts'

describe('a node', () => {
  test('decides nothing before it is a member and its renewal has been answered', async () => {
    const fixture = new NodeFixture()
    const { node, membership, time } = fixture
    const letJoin = membership.hold('join')
    const letRenew = membership.hold('renew')
    const joined = node.join()
    await time.settle()
    assert.deepEqual(membership.calls, ['join node-1'])
    letJoin()
    await joined
    await time.settle()
    assert.deepEqual([membership.calls.at(-1), node.holds()], ['renew node-1 0', false])
    letRenew()
    await time.settle()
    assert.ok(node.holds())
  })

  test('goes on deciding as long as it renews, which it does eight times a lease', async () => {
    const fixture = await NodeFixture.joined()
    const { node, membership, time } = fixture
    for (let n = 0; n < 40; n++) {
      await fixture.attach(`v${n}`)
      await time.settle(RENEWAL_MS)
      assert.ok(node.holds())
    }
    assert.equal(membership.rows.get('node-1')?.renewals, 41)
  })

  test('that has not applied what its renewal read decides nothing, once its lease before has lapsed', async () => {
    const fixture = await NodeFixture.joined()
    const { node, time } = fixture
    fixture.commitElsewhere()
    await time.settle(USABLE_MS - 1)
    assert.ok(node.holds(), 'the lease that it had names nothing that it has not applied')
    await time.settle(1)
    assert.ok(!node.holds())
    fixture.catchUp()
    assert.ok(node.holds())
  })

  test('never grants beyond its own lease, and names what it has applied itself', async () => {
    const fixture = await NodeFixture.joined()
    const { node, membership, time } = fixture
    fixture.commit()
    await fixture.attach('v')
    fixture.commit()
    membership.failing.add('renew')
    for (let ms = 0; ms < USABLE_MS; ms += 1_000) {
      assert.deepEqual(fixture.renew('v'), { type: 'grant', nonce: ms / 1_000 + 2, leaseMs: USABLE_MS - ms, seq: 2 })
      await time.settle(1_000)
    }
    assert.equal(fixture.renew('v'), undefined)
    assert.ok(!node.holds())
  })

  test('grants nothing before it is known to grant leases, under the id that it has', async () => {
    const fixture = await NodeFixture.joined()
    const { node, membership, time } = fixture
    const letAnnounce = membership.hold('announceGrants')
    const attached = node.attach('v')
    assert.equal(fixture.renew('v'), undefined)
    letAnnounce()
    await attached
    assert.ok(fixture.renew('v'))
    await node.attach('w')
    membership.rows.delete('node-1')
    await time.settle(RENEWAL_MS)
    assert.ok(node.holds())
    assert.equal(fixture.renew('v'), undefined)
    await time.settle()
    assert.ok(fixture.renew('v'))
    const announced = membership.calls.filter((call) => call.startsWith('announceGrants'))
    assert.deepEqual([...new Set(announced)], ['announceGrants node-1', 'announceGrants node-2'])
  })

  test('that cannot make that known attaches nobody', async () => {
    const fixture = await NodeFixture.joined()
    fixture.membership.failing.add('announceGrants')
    await assert.rejects(fixture.node.attach('v'), Unavailable)
    assert.equal(fixture.renew('v'), undefined)
  })

  test('grants nothing to a verifier that is not attached', async () => {
    const fixture = await NodeFixture.joined()
    assert.equal(fixture.renew('stranger'), undefined)
  })

  test('whose renewal finds no row decides and grants nothing more, until it has joined again with another id', async () => {
    const fixture = await NodeFixture.joined()
    const { node, membership, time } = fixture
    await fixture.attach('v')
    membership.rows.delete('node-1')
    const letJoin = membership.hold('join')
    await time.settle(RENEWAL_MS)
    assert.equal(node.nodeId, 'node-2')
    assert.ok(!node.holds())
    assert.equal(fixture.renew('v'), undefined)
    letJoin()
    await time.settle()
    assert.ok(node.holds())
    assert.ok(membership.calls.includes('renew node-2 0'))
  })

  test('that cannot reach the members lapses in time, and comes back by itself', async () => {
    const { node, membership, time, troubles } = await NodeFixture.joined()
    for (const method of ['join', 'renew', 'members', 'report'] as const) membership.failing.add(method)
    await time.settle(USABLE_MS - 1)
    assert.ok(node.holds())
    await time.settle(1)
    assert.ok(!node.holds())
    assert.ok(troubles.length > 0)
    membership.failing.clear()
    await time.settle(RENEWAL_MS)
    assert.ok(node.holds())
  })

  test('that was suspended renews as soon as it is asked to decide', async () => {
    const { node, time } = await NodeFixture.joined()
    time.suspend(LEASE_MS)
    assert.ok(!node.holds())
    await time.settle()
    assert.ok(node.holds())
  })

  test('that cannot join says so', async () => {
    const fixture = new NodeFixture()
    fixture.membership.failing.add('join')
    await assert.rejects(fixture.node.join(), Unavailable)
  })
})

describe('a node that leaves', () => {
  test('grants nothing more, and decides until the last lease it granted has ended; its row goes last', async () => {
    const fixture = await NodeFixture.joined()
    const { node, membership, time } = fixture
    await fixture.attach('v')
    node.disconnected('v')
    await fixture.attach('w')
    const decidedAtLeave: boolean[] = []
    const { leave } = membership
    membership.leave = (nodeId) => {
      decidedAtLeave.push(node.holds())
      return leave.call(membership, nodeId)
    }
    const left = node.leave(new AbortController().signal)
    assert.equal(fixture.renew('w'), undefined)
    node.detached('w')
    await time.settle(USABLE_MS - 1)
    assert.ok(node.holds())
    assert.ok(membership.rows.has('node-1'))
    await time.settle(1)
    await left
    assert.deepEqual(decidedAtLeave, [false])
    assert.ok(!membership.rows.has('node-1'))
    assert.ok(!node.holds())
  })

  test('is gone at once when nobody holds a lease from it', async () => {
    const fixture = await NodeFixture.joined()
    await fixture.attach('v')
    const left = fixture.node.leave(new AbortController().signal)
    fixture.node.detached('v')
    await fixture.time.settle()
    await left
    assert.ok(!fixture.membership.rows.has('node-1'))
  })

  test('is waited for until the leases of its verifiers have ended, wherever those are connected by then', async () => {
    const fixture = await NodeFixture.joined()
    const { node, membership, time } = fixture
    membership.put('node-elsewhere')
    await time.settle(RENEWAL_MS)
    fixture.commit()
    await fixture.attach('v')
    await time.settle(RENEWAL_MS)
    fixture.renew('v')
    const left = node.leave(new AbortController().signal)
    // Told to go to another node, it does: what it acknowledges there is not heard here.
    node.disconnected('v')
    fixture.commit()
    await time.settle(USABLE_MS - 1)
    assert.equal(membership.rows.get('node-1')?.inForceSeq, 1)
    await time.settle(1)
    await left
    assert.ok(membership.calls.indexOf('report node-1 2') < membership.calls.indexOf('leave node-1'))
    assert.ok(!membership.rows.has('node-1'))
  })

  test('stays a member, to be waited for, when there is no time for that', async () => {
    const fixture = await NodeFixture.joined()
    const { node, membership, time } = fixture
    await fixture.attach('v')
    const waiting = await fixture.wait(fixture.commit())
    const deadline = new AbortController()
    const letMembers = membership.hold('members')
    await time.settle(RENEWAL_MS)
    const left = node.leave(deadline.signal)
    deadline.abort()
    await left
    assert.ok(membership.rows.has('node-1'))
    await time.settle()
    assert.ok(waiting.error() instanceof Unavailable)
    await assert.rejects(node.inForce(1), Unavailable)
    letMembers()
    await time.settle()
    assert.equal(time.pending, 0, 'nothing is to be done any more')
    fixture.commit()
    node.detached('another')
    assert.equal(time.pending, 0, 'whatever is still heard')
    await time.settle(10 * LEASE_MS)
    assert.ok(membership.rows.has('node-1'))
  })
})
