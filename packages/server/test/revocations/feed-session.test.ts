import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FEED_CLOSE, genesis, type VerifierMessage } from '@rescind/protocol'
import { EPOCH } from '../../../verifier/test/mint.ts'
import { LEASE_MS, RENEWAL_MS, USABLE_MS } from './node-fixture.ts'
import { LOG, SessionFixture } from './session-fixture.ts'

const MIB = 1024 * 1024

describe('a verifier that says hello', () => {
  test('with nothing applied is sent a snapshot, and what follows it', async () => {
    const session = await SessionFixture.greeted(5, null)
    const [welcome, snapshot, piece, ...more] = session.sent()
    assert.ok(typeof welcome === 'object' && welcome.type === 'welcome' && !welcome.resync)
    assert.ok(typeof snapshot === 'object' && snapshot.type === 'snapshot')
    assert.deepEqual([snapshot.position, snapshot.bytes, more], [LOG.position(5), piece, []])
    await session.commit()
    assert.deepEqual(session.sent(), [{ type: 'entries', entries: LOG.entries(6, 6) }])
  })

  test('with a position of this log is sent what it lacks, and believed', async () => {
    for (const seq of [0, 3, 5]) {
      const session = await SessionFixture.greeted(5, LOG.position(seq))
      const [, ...entries] = session.sent()
      assert.deepEqual(entries, seq === 5 ? [] : [{ type: 'entries', entries: LOG.entries(seq + 1, 5) }])
      assert.equal(session.believedSeq, seq)
    }
  })

  test('that is ahead of this node is believed for what the storage shows without a gap from where this node stands', async () => {
    const session = await SessionFixture.at(5)
    session.unapplied = 5
    await session.say({ type: 'hello', version: 1, position: LOG.position(8), formerly: [] })
    assert.equal(session.believedSeq, 8)
    assert.deepEqual(session.read, [6, 7, 8])
  })

  test('that is too far ahead of this node to be looked up is sent everything, and not believed', async () => {
    const session = await SessionFixture.at(1)
    session.unapplied = 5_000
    await session.say({ type: 'hello', version: 1, position: LOG.position(4_098), formerly: [] })
    assert.deepEqual([session.believedSeq, session.read], [0, []])
    assert.deepEqual(session.sentTypes(), ['welcome', 'snapshot', 'piece'])
  })

  test('with a position that is not of this log is told so before anything else, sent everything, and not believed', async () => {
    const others = [
      { ...LOG.position(5), hash: LOG.position(4).hash },
      { ...LOG.position(5), seq: 4 },
      { ...LOG.position(5), seq: 6 },
      { ...LOG.position(5), seq: Number.MAX_SAFE_INTEGER },
      { ...LOG.position(5), epoch: EPOCH.replace(/^./, 'f') },
      { ...genesis(EPOCH), hash: LOG.position(5).hash },
    ]
    for (const position of others) {
      const session = await SessionFixture.greeted(5, position)
      const [welcome, snapshot] = session.sent()
      assert.ok(typeof welcome === 'object' && welcome.type === 'welcome' && welcome.resync)
      assert.ok(typeof snapshot === 'object' && snapshot.type === 'snapshot')
      assert.equal(session.believedSeq, 0)
      assert.ok(session.notices.includes('resync'))
    }
  })

  test('and names what it was called before is believed for that too, whatever its position is', async () => {
    const FORMER = EPOCH.replace(/^./, 'e')
    const other = { ...LOG.position(5), hash: LOG.position(4).hash }
    for (const [position, believed] of [[LOG.position(5), 5] as const, [other, 0] as const, [null, 0] as const]) {
      const session = await SessionFixture.at(5)
      const { node } = session.fixture
      await node.attach(FORMER)
      session.fixture.renew(FORMER)
      node.disconnected(FORMER)
      await session.say({ type: 'hello', version: 1, position, formerly: [FORMER] })
      assert.equal(node.attachments.get(FORMER)?.appliedSeq, believed)
      assert.equal(node.attachments.get(FORMER)?.grants.length, 1, 'nothing is released')
      await session.commit()
      if (believed === 0) await session.acknowledge(5)
      await session.acknowledge(6)
      assert.equal(node.attachments.get(FORMER)?.appliedSeq, 6)
      await session.say({ type: 'goodbye' })
      assert.equal(node.attachments.get(FORMER)?.grants.length ?? 0, 0)
    }
  })

  test('too far behind is sent a snapshot instead of every entry', async () => {
    const session = await SessionFixture.greeted(4_100, LOG.position(3))
    assert.deepEqual(session.sentTypes(), ['welcome', 'snapshot', 'piece'])
    assert.equal(session.believedSeq, 3)
  })
})

describe('a connection is closed with a reason', () => {
  const early: readonly VerifierMessage[] = [
    { type: 'renew', nonce: 1 },
    { type: 'applied', seq: 1, hash: LOG.position(1).hash },
    { type: 'usage', uses: [] },
    { type: 'goodbye' },
  ]

  for (const message of early) {
    test(`when ${message.type} comes before hello`, async () => {
      const session = await SessionFixture.at(5)
      await session.say(message)
      assert.equal(session.socket.closeCode, FEED_CLOSE.bad_message)
      assert.deepEqual(session.sent(), [])
    })
  }

  test('when hello comes twice, and nothing is granted any more', async () => {
    const session = await SessionFixture.greeted(5)
    await session.say({ type: 'hello', version: 1, position: null, formerly: [] })
    assert.equal(session.socket.closeCode, FEED_CLOSE.bad_message)
    await session.renew()
    assert.equal(session.grants, 0)
  })

  test('when a message cannot be read, whatever it is', async () => {
    const bad = [
      '',
      '{}',
      '{"type":"renew"}',
      '{"type":"renew","nonce":-1}',
      '{"type":"renew","nonce":1} ',
      new Uint8Array(9),
    ]
    for (const data of bad) {
      const session = await SessionFixture.greeted(5)
      await session.hear(data)
      assert.equal(session.socket.closeCode, FEED_CLOSE.bad_message)
      assert.ok(session.notices.includes('bad_message'))
    }
  })

  test('when something is acknowledged that was not sent, and it is not believed', async () => {
    for (const seq of [4, 5, 7, 9]) {
      const session = await SessionFixture.greeted(5)
      await session.commit()
      await session.acknowledge(seq)
      assert.equal(session.socket.closeCode, FEED_CLOSE.bad_message)
      assert.equal(session.believedSeq, 5)
    }
  })

  test('when the same is acknowledged twice', async () => {
    const session = await SessionFixture.greeted(5)
    await session.commit()
    await session.acknowledge(6)
    assert.equal(session.socket.closeCode, undefined)
    await session.acknowledge(6)
    assert.equal(session.socket.closeCode, FEED_CLOSE.bad_message)
  })

  test('when what was applied is not what was sent, and it is not believed', async () => {
    const session = await SessionFixture.greeted(5)
    await session.commit()
    await session.say({ type: 'applied', seq: 6, hash: LOG.position(5).hash })
    assert.equal(session.socket.closeCode, FEED_CLOSE.log_mismatch)
    assert.equal(session.believedSeq, 5)
  })

  test('when a snapshot is acknowledged that has not been sent to its end', async () => {
    const session = await SessionFixture.at(5)
    session.socket.bufferedBytes = 2 * MIB
    await session.say({ type: 'hello', version: 1, position: null, formerly: [] })
    assert.deepEqual(session.sentTypes(), ['welcome', 'snapshot'])
    await session.acknowledge(5)
    assert.equal(session.socket.closeCode, FEED_CLOSE.bad_message)
    assert.equal(session.believedSeq, 0)
  })

  test('when nothing is said for five seconds, or renewed for three renewals', async () => {
    const mute = await SessionFixture.at(5)
    await mute.fixture.time.settle(5_000)
    assert.equal(mute.socket.closeCode, FEED_CLOSE.silent)
    const silent = await SessionFixture.greeted(5)
    await silent.fixture.time.settle(2 * RENEWAL_MS)
    await silent.renew()
    await silent.commit()
    await silent.fixture.time.settle(3 * RENEWAL_MS - 1)
    await silent.acknowledge(6)
    assert.equal(silent.socket.closeCode, undefined)
    await silent.fixture.time.settle(1)
    assert.equal(silent.socket.closeCode, FEED_CLOSE.silent)
  })

  test('when the credential has ended, after what ended it was sent, and nothing is granted then', async () => {
    const session = await SessionFixture.greeted(5)
    session.sent()
    session.isCredentialGood = false
    await session.commit()
    assert.deepEqual(session.sent().slice(-2), [
      { type: 'entries', entries: LOG.entries(6, 6) },
      { type: 'goodbye', reason: 'credential_ended' },
    ])
    assert.equal(session.socket.closeCode, FEED_CLOSE.credential_ended)
    await session.renew()
    assert.equal(session.grants, 0)
  })

  test('when the credential turns out to have ended at a renewal, which is granted no more', async () => {
    const session = await SessionFixture.greeted(5)
    session.sent()
    session.isCredentialGood = false
    await session.renew()
    assert.deepEqual(session.sent(), [{ type: 'goodbye', reason: 'credential_ended' }])
    assert.deepEqual([session.socket.closeCode, session.grants], [FEED_CLOSE.credential_ended, 0])
  })

  test('when the node leaves, and what the verifier applied until then still counts', async () => {
    const session = await SessionFixture.greeted(5)
    await session.renew()
    await session.commit()
    session.feed.leave()
    assert.deepEqual(session.sent().at(-1), { type: 'goodbye', reason: 'leaving' })
    assert.equal(session.socket.closeCode, FEED_CLOSE.going_away)
    await session.acknowledge(6)
    assert.equal(session.believedSeq, 6)
    await session.renew()
    assert.equal(session.grants, 1)
  })
})

describe('a session', () => {
  test('answers each renewal with what the node can grant', async () => {
    const session = await SessionFixture.greeted(5)
    session.sent()
    await session.renew()
    await session.fixture.time.settle(1_000)
    await session.renew()
    assert.deepEqual(session.sent(), [
      { type: 'grant', nonce: 1, leaseMs: USABLE_MS, seq: 5 },
      { type: 'grant', nonce: 2, leaseMs: USABLE_MS - 1_000, seq: 5 },
    ])
  })

  test('that breaks off releases nothing', async () => {
    const session = await SessionFixture.greeted(5)
    await session.renew()
    session.close()
    assert.equal(session.grants, 1)
    assert.equal(session.feed.size, 0)
    const seq = session.fixture.commit()
    const waiting = await session.fixture.wait(seq)
    assert.ok(!waiting.outcome())
  })

  test('in which the verifier says goodbye releases it', async () => {
    const session = await SessionFixture.greeted(5)
    await session.renew()
    await session.say({ type: 'goodbye' })
    assert.equal(session.grants, 0)
    assert.equal(session.socket.closeCode, FEED_CLOSE.done)
  })

  test('passes on when tokens were used', async () => {
    const session = await SessionFixture.greeted(5)
    await session.say({
      type: 'usage',
      uses: [
        [7, 1_000],
        [8, 2_000],
      ],
    })
    assert.deepEqual(session.uses, [
      [7, 1_000],
      [8, 2_000],
    ])
  })

  test('sends no more than 32 messages ahead, and goes on where it was when they are acknowledged', async () => {
    const session = await SessionFixture.greeted(5)
    session.sent()
    await session.commit(100)
    assert.equal(session.sent().length, 32)
    await session.acknowledge(37)
    assert.deepEqual(session.sent(), [{ type: 'entries', entries: LOG.entries(38, 105) }])
  })

  test('adds nothing that can wait to a socket that is full, and goes on when there is room', async () => {
    const session = await SessionFixture.greeted(5)
    session.sent()
    session.socket.bufferedBytes = MIB
    await session.commit(10)
    assert.deepEqual(session.sent(), [])
    await session.renew()
    assert.deepEqual(session.sentTypes(), ['grant'])
    session.socket.bufferedBytes = 0
    await session.fixture.time.settle(20)
    assert.deepEqual(session.sent(), [{ type: 'entries', entries: LOG.entries(6, 15) }])
  })

  test('breaks off when the other end does not read at all, once and for all', async () => {
    const session = await SessionFixture.greeted(5)
    session.socket.bufferedBytes = 5 * MIB
    await session.renew()
    assert.ok(session.socket.isDestroyed)
    assert.deepEqual(session.notices, ['attached', 'too_slow', 'disconnected'])
    assert.equal(session.feed.size, 0)
    session.socket.bufferedBytes = 0
    await session.commit()
    await session.fixture.time.settle(LEASE_MS)
    assert.deepEqual(session.notices, ['attached', 'too_slow', 'disconnected'])
  })

  test('that is broken off before it was welcomed stays so', async () => {
    const session = await SessionFixture.at(5)
    session.socket.bufferedBytes = 5 * MIB
    await session.say({ type: 'hello', version: 1, position: LOG.position(3), formerly: [] })
    assert.ok(session.socket.isDestroyed)
    session.socket.bufferedBytes = 0
    await session.commit()
    await session.fixture.time.settle(LEASE_MS)
    assert.equal(session.feed.size, 0)
    assert.deepEqual(
      session.notices.filter((notice) => notice !== 'attached'),
      ['too_slow', 'disconnected'],
    )
  })

  test('with a verifier that renews, and applies nothing for a whole lease, ends', async () => {
    const session = await SessionFixture.greeted(5)
    await session.commit()
    for (let ms = 0; ms <= LEASE_MS; ms += RENEWAL_MS) {
      assert.equal(session.socket.closeCode, undefined)
      await session.renew()
      await session.fixture.time.settle(RENEWAL_MS)
    }
    await session.renew()
    assert.equal(session.socket.closeCode, FEED_CLOSE.too_slow)
  })
})
