import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MAX_FORMER_IDS, type ServiceMessage } from '@rescind/protocol'
import { ManualTime } from '../../protocol/test/manual-time.ts'
import { type FollowerEvent, type FollowerState, INITIAL_FOLLOWER } from '../core/follower.ts'
import { encodeSnapshot } from '../core/snapshot.ts'
import { Walk } from './follower-rules.ts'
import { HOME, LEASE_MS, LOG } from './follower-states.ts'
import { EPOCH } from './mint.ts'

const USABLE_MS = LEASE_MS * 0.8

/** Stands where the log does, and revokes nothing. */
const OTHER = encodeSnapshot({ position: LOG.position(5), formerEpochs: [], keys: [], bulkEntries: [], pages: [] })

type Say = (state: FollowerState) => FollowerEvent

function says(message: ServiceMessage): Say {
  return ({ connection }) => ({ type: 'message', connection, message })
}

function welcomes(changes: Partial<typeof HOME & { verifierId: string; resync: boolean }> = {}): Say {
  return says({ type: 'welcome', verifierId: EPOCH, ...HOME, resync: false, ...changes })
}

function grants(seq: number, leaseMs = LEASE_MS): Say {
  return (state) => says({ type: 'grant', nonce: state.nonce, leaseMs, seq })(state)
}

function sends(first: number, last = first): Say {
  return says({ type: 'entries', entries: LOG.entries(first, last) })
}

/** The announcement of a snapshot, and all of it. */
function snapshots(seq: number, { of = seq, log = LOG } = {}): [Say, Say] {
  const { bytes, sha256 } = log.snapshot(of)
  const announcement: ServiceMessage = { type: 'snapshot', position: log.position(seq), bytes: bytes.length, sha256 }
  return [says(announcement), ({ connection }) => ({ type: 'piece', connection, bytes })]
}

const connected: Say = ({ connection }) => ({ type: 'connected', connection })
const disconnected: Say = ({ connection }) => ({ type: 'disconnected', connection })

/** A follower that has applied entry 2 and has asked for a lease. */
function following(): { walk: Walk; time: ManualTime } {
  const time = new ManualTime()
  const walk = new Walk(INITIAL_FOLLOWER, time)
  for (const event of [{ type: 'start' } as const, connected, welcomes(), ...snapshots(2)]) walk.do(event)
  return { walk, time }
}

function leased(): { walk: Walk; time: ManualTime } {
  const { walk, time } = following()
  walk.do(grants(2))
  return { walk, time }
}

function reconnect(walk: Walk, welcome = welcomes()): string[] {
  return [{ type: 'retry' } as const, connected, welcome].flatMap((event) => walk.do(event))
}

describe('a lease', () => {
  test('counts from before it was asked for, however late its grant comes', () => {
    const { walk, time } = following()
    time.advance(7_000)
    walk.do(grants(2))
    time.advance(USABLE_MS - 7_000 - 1)
    assert.ok(walk.decides)
    time.advance(1)
    assert.ok(!walk.decides)
  })

  test('whose grant comes too late permits nothing at all', () => {
    const { walk, time } = following()
    time.advance(USABLE_MS)
    assert.deepEqual(walk.do(grants(2)), [])
    assert.ok(!walk.decides)
  })

  test('that names what has not been applied permits nothing until it has', () => {
    const { walk, time } = following()
    assert.deepEqual(walk.do(grants(4)), [])
    assert.ok(!walk.decides)
    walk.do(sends(3))
    assert.ok(!walk.decides)
    time.advance(1_000)
    assert.deepEqual(walk.do(sends(4)), ['apply', 'send applied', 'notify caught_up'])
    time.advance(USABLE_MS - 1_001)
    assert.ok(walk.decides)
    time.advance(1)
    assert.ok(!walk.decides)
  })

  test('goes on permitting while a newer one waits for entries, and no longer than it would have', () => {
    const { walk, time } = leased()
    time.advance(4_000)
    assert.deepEqual(walk.do({ type: 'due' }), ['send renew'])
    walk.do(grants(3))
    time.advance(USABLE_MS - 4_000 - 1)
    assert.ok(walk.decides)
    time.advance(1)
    assert.ok(!walk.decides, 'the newer one still waits')
    walk.do(sends(3))
    assert.ok(walk.decides)
    time.advance(4_000)
    assert.ok(!walk.decides)
  })

  test('of a machine that was suspended has lapsed, though the monotonic clock stood still', () => {
    const { walk, time } = leased()
    time.suspend(USABLE_MS - 1)
    assert.ok(walk.decides)
    time.suspend(1)
    assert.ok(!walk.decides)
  })

  test('is not made longer by a wall clock that is set back', () => {
    const { walk, time } = leased()
    time.stepWall(-3_600_000)
    time.advance(USABLE_MS - 1)
    assert.ok(walk.decides)
    time.advance(1)
    assert.ok(!walk.decides)
  })

  test('comes from a grant that is used once: repeated, it closes the connection and permits no longer', () => {
    const { walk, time } = leased()
    const { leases } = walk.state
    time.advance(3_000)
    const repeated = walk.do(grants(2))
    assert.deepEqual(repeated, ['disconnect 4400', 'pause', 'notify bad_message'])
    assert.deepEqual(walk.state.leases, leases)
    time.advance(USABLE_MS - 3_000)
    assert.ok(!walk.decides)
  })

  test('does not come from a grant that answers an earlier request, on whatever connection', () => {
    const { walk, time } = following()
    const { nonce } = walk.state
    walk.do(disconnected)
    time.advance(1_000)
    reconnect(walk)
    assert.ok(walk.state.nonce > nonce, 'a nonce is used once in the life of a verifier')
    walk.do(says({ type: 'grant', nonce, leaseMs: LEASE_MS, seq: 2 }))
    assert.deepEqual(walk.state.leases, [])
  })

  test('is as long as it was granted, when that is less than usual', () => {
    const { walk, time } = following()
    walk.do(grants(2, 10_000))
    time.advance(7_999)
    assert.ok(walk.decides)
    time.advance(1)
    assert.ok(!walk.decides)
  })

  test('outlives its connection, and never its time', () => {
    const { walk, time } = leased()
    walk.do(disconnected)
    time.advance(USABLE_MS - 1)
    assert.ok(walk.decides)
    time.advance(1)
    assert.deepEqual(walk.do({ type: 'due' }), ['notify lapsed'])
  })

  test('that has lapsed is looked at no more, and a new one comes from a new request only', () => {
    const { walk, time } = leased()
    time.advance(USABLE_MS)
    assert.deepEqual(walk.do({ type: 'due' }), ['send renew', 'notify lapsed'])
    assert.deepEqual(walk.do(grants(2)), ['notify caught_up'])
  })
})

describe('after a mismatch', () => {
  const mismatches: Readonly<Record<string, readonly Say[]>> = {
    'the service says so': [disconnected, () => ({ type: 'retry' }), connected, welcomes({ resync: true })],
    'an entry does not continue the chain': [
      says({ type: 'entries', entries: [{ ...LOG.entry(3), atMs: 0 }] }),
      () => ({ type: 'retry' }),
      connected,
      welcomes(),
    ],
    'something could not be applied': [
      () => ({ type: 'cannot_apply' }),
      () => ({ type: 'retry' }),
      connected,
      welcomes(),
    ],
    'a snapshot is whole, and not the announced one': [
      says({ type: 'snapshot', position: OTHER.position, bytes: OTHER.bytes.length, sha256: LOG.snapshot(5).sha256 }),
      ({ connection }) => ({ type: 'piece', connection, bytes: OTHER.bytes }),
      () => ({ type: 'retry' }),
      connected,
      welcomes(),
    ],
    'a snapshot stands at another position than announced': [
      ...snapshots(6, { of: 5 }),
      () => ({ type: 'retry' }),
      connected,
      welcomes(),
    ],
  }
  for (const [name, events] of Object.entries(mismatches)) {
    test(`nothing is decided until a snapshot was united: ${name}`, () => {
      const { walk, time } = leased()
      for (const event of events) walk.do(event)
      assert.deepEqual([walk.state.position, walk.state.leases, walk.decides], [null, [], false])
      time.advance(10_000)
      if (walk.state.asked === null) walk.do({ type: 'due' })
      walk.do(grants(2))
      assert.ok(!walk.decides, 'not with a lease either')
      const [announcement, all] = snapshots(4)
      walk.do(announcement)
      assert.ok(!walk.decides)
      assert.deepEqual(walk.do(all), ['unite', 'send applied', 'notify resynced', 'notify caught_up'])
      assert.deepEqual(walk.state.position, LOG.position(4))
    })
  }

  test('the service is told that nothing can be built on', () => {
    const { walk } = leased()
    walk.do({ type: 'cannot_apply' })
    walk.do({ type: 'retry' })
    const [hello] = walk.effectsOf(connected)
    const message = { type: 'hello', version: 1, position: null, formerly: [EPOCH] }
    assert.deepEqual(hello, { type: 'send', message })
  })
})

describe('the connections that a follower had before', () => {
  const idOf = (n: number) => EPOCH.replace(/..$/, String(10 + n))

  /** What it says it was called, when it connects again. */
  function formerly(walk: Walk): readonly string[] {
    const [, [hello]] = [walk.do({ type: 'retry' }), walk.effectsOf(connected)]
    assert.ok(hello?.type === 'send' && hello.message.type === 'hello')
    return hello.message.formerly
  }

  test('are named in every hello, whether a lease came over them or not, and nothing is given up by that', () => {
    const time = new ManualTime()
    const walk = new Walk(INITIAL_FOLLOWER, time)
    walk.do({ type: 'start' })
    assert.deepEqual(walk.effectsOf(connected)[0], {
      type: 'send',
      message: { type: 'hello', version: 1, position: null, formerly: [] },
    })
    for (const event of [welcomes({ verifierId: idOf(0) }), ...snapshots(2), grants(2), disconnected]) walk.do(event)
    const { leases } = walk.state
    assert.deepEqual(formerly(walk), [idOf(0)])
    for (const event of [welcomes({ verifierId: idOf(1) }), disconnected]) walk.do(event)
    assert.deepEqual(formerly(walk), [idOf(0), idOf(1)])
    assert.deepEqual([walk.state.leases, walk.decides], [leases, true])
  })

  test('are not named before the service has said who this is there', () => {
    const { walk } = leased()
    walk.do(disconnected)
    for (let n = 0; n < 3; n++) {
      assert.deepEqual(formerly(walk), [EPOCH])
      walk.do(disconnected)
    }
    assert.deepEqual(formerly(walk), [EPOCH])
    walk.do(welcomes({ verifierId: idOf(1), issuer: 'https://other.example' }))
    assert.deepEqual(formerly(walk), [EPOCH], 'another service is not this one')
  })

  test('are still named by who has nothing to build on any more', () => {
    const { walk } = leased()
    walk.do({ type: 'cannot_apply' })
    assert.deepEqual(formerly(walk), [EPOCH])
  })

  test('are kept so far as they can be named, the last ones', () => {
    const { walk } = leased()
    for (let n = 0; n < 2 * MAX_FORMER_IDS; n++) {
      walk.do(disconnected)
      formerly(walk)
      walk.do(welcomes({ verifierId: idOf(n) }))
    }
    walk.do(disconnected)
    const last = Array.from({ length: MAX_FORMER_IDS }, (_, at) => idOf(MAX_FORMER_IDS + at))
    assert.deepEqual(formerly(walk), last)
  })
})

describe('a follower', () => {
  test('of a service whose log has become another decides nothing until the two were united', () => {
    const { walk } = leased()
    walk.do(disconnected)
    const epoch = EPOCH.replace(/^./, 'f')
    const effects = reconnect(walk, welcomes({ epoch }))
    assert.deepEqual(effects.slice(-4), ['welcomed', 'notify log_mismatch', 'send renew', 'notify lapsed'])
    walk.do(grants(2))
    assert.ok(!walk.decides)
    assert.deepEqual(walk.do(snapshots(4)[0]), ['disconnect 4400', 'pause', 'notify bad_message'], 'of the log before')
  })

  test('that is sent to an earlier position, or another entry of the same number, does not go there', () => {
    for (const seq of [0, 1, 2]) {
      const { walk } = leased()
      const { position } = walk.state
      for (const event of snapshots(seq)) walk.do(event)
      assert.equal(walk.state.phase, 'waiting')
      assert.deepEqual(walk.state.position, position)
    }
  })

  test('applies in order what continues the log, and says so afterwards', () => {
    const { walk } = leased()
    const effects = walk.effectsOf(sends(3, 5))
    assert.deepEqual(effects, [
      { type: 'apply', entries: LOG.entries(3, 5) },
      { type: 'send', message: { type: 'applied', seq: 5, hash: LOG.entry(5).hash } },
    ])
    assert.deepEqual(walk.state.position, LOG.position(5))
  })

  test('says goodbye only when it has stopped deciding', () => {
    const credentialEnded = says({ type: 'goodbye', reason: 'credential_ended' })
    for (const event of [{ type: 'stop' } as const, credentialEnded]) {
      const { walk } = leased()
      assert.ok(walk.decides)
      assert.ok(walk.do(event).includes('send goodbye'))
      assert.deepEqual(walk.state.leases, [])
    }
  })

  test('goes on deciding when the service leaves in order, and says no goodbye', () => {
    const { walk } = leased()
    assert.deepEqual(walk.do(says({ type: 'goodbye', reason: 'leaving' })), ['disconnect 1000', 'pause'])
    assert.ok(walk.decides)
  })

  test('is what it was on each connection: it never becomes the follower of another service', () => {
    for (const change of [{ issuer: 'https://other.example' }, { tokenPrefix: 'other_' }]) {
      const { walk } = leased()
      walk.do(disconnected)
      const effects = reconnect(walk, welcomes(change))
      assert.deepEqual(effects.slice(-3), ['disconnect 1000', 'pause', 'notify wrong_service'])
      assert.deepEqual(walk.state.home, HOME)
    }
  })

  test('pauses longer after each connection that came to nothing, until one gets it to decide', () => {
    const { walk } = following()
    const pauses: number[] = []
    const lose = () => {
      for (const effect of walk.effectsOf(disconnected)) if (effect.type === 'pause') pauses.push(effect.failures)
      reconnect(walk)
    }
    for (let n = 0; n < 3; n++) lose()
    walk.do(grants(2))
    lose()
    assert.deepEqual(pauses, [1, 2, 3, 1])
  })

  test('asks for the next lease before a quarter of the last is used, and gives up a service that does not answer', () => {
    const { walk, time } = leased()
    time.advance(LEASE_MS / 8)
    assert.deepEqual(walk.do({ type: 'due' }), ['send renew'])
    time.advance(LEASE_MS / 4 - 1)
    assert.deepEqual(walk.do({ type: 'due' }), [])
    time.advance(1)
    assert.deepEqual(walk.do({ type: 'due' }), ['disconnect 4408', 'pause', 'notify disconnected'])
    assert.ok(walk.decides)
  })
})
