import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { HeldLease, Instant } from '@rescind/protocol'
import { ManualTime } from '../../../protocol/test/manual-time.ts'
import {
  grantableMs,
  holdNodeLease,
  type NodeLeaseEffect,
  type NodeLeaseEvent,
  type NodeLeaseState,
  newNodeLease,
  nodeMayDecide,
} from '../../revocations/node-lease.ts'
import { OUTCOMES, readTable } from './node-lease-table.ts'

const LEASE_MS = 30_000
const USABLE_MS = LEASE_MS * 0.8
const RENEWAL_MS = LEASE_MS / 8
const SEQ = 2
const NODE_ID = '00000000-0000-4000-8000-000000000001'
const OTHER_ID = '00000000-0000-4000-8000-000000000002'
const NOW: Instant = { monotonicMs: 5_000_000, wallMs: 1_893_456_000_000 }

function lease(seq: number, agoMs = 1_000): HeldLease {
  return { since: ago(agoMs), grantedMs: LEASE_MS, seq }
}

function ago(ms: number): Instant {
  return { monotonicMs: NOW.monotonicMs - ms, wallMs: NOW.wallMs - ms }
}

const LEASES = {
  none: [],
  holds: [lease(SEQ)],
  waits: [lease(SEQ + 1)],
  both: [lease(SEQ), lease(SEQ + 1)],
  lapsed: [lease(SEQ, LEASE_MS)],
}

type Stand = Pick<NodeLeaseState, 'phase' | 'renewing'>

const renewing = ago(500)

const STATES: Readonly<Record<string, Stand>> = {
  outside: { phase: 'outside', renewing: null },
  joining: { phase: 'joining', renewing: null },
  member: { phase: 'member', renewing: null },
  renewing: { phase: 'member', renewing },
  leaving: { phase: 'leaving', renewing: null },
  late: { phase: 'leaving', renewing },
  left: { phase: 'left', renewing: null },
}

/** By the type of the event, then by what is special about it. */
const EVENTS: Readonly<Record<NodeLeaseEvent['type'], Readonly<Record<string, NodeLeaseEvent>>>> = {
  join: { join: { type: 'join', nodeId: OTHER_ID } },
  joined: { joined: { type: 'joined' } },
  join_failed: { join_failed: { type: 'join_failed' } },
  due: { early: { type: 'due' }, late: { type: 'due' } },
  missed: { soon: { type: 'missed' }, later: { type: 'missed' } },
  renewed: {
    level: { type: 'renewed', headSeq: SEQ, appliedSeq: SEQ },
    ahead: { type: 'renewed', headSeq: SEQ + 1, appliedSeq: SEQ },
  },
  renewal_failed: { renewal_failed: { type: 'renewal_failed' } },
  not_member: { not_member: { type: 'not_member' } },
  leave: { leave: { type: 'leave' } },
  all_gone: { all_gone: { type: 'all_gone' } },
}

/** How long after now the next renewal is due, where that matters. */
const RENEWS_IN_MS: Readonly<Record<string, number>> = {
  'due early': 1,
  'missed soon': RENEWAL_MS / 4,
  'missed later': RENEWAL_MS / 4 + 1,
}

describe('the table of a node lease', () => {
  const table = readTable()
  const events = Object.values(EVENTS).flatMap((variants) =>
    Object.entries(variants).map(([variant, event]) => {
      return [event.type === variant ? variant : `${event.type} ${variant}`, event] as const
    }),
  )

  test('has a row for every event and a column for every state', () => {
    assert.deepEqual(
      [...table.keys()],
      events.map(([name]) => name),
    )
    for (const cells of table.values()) assert.deepEqual([...cells.keys()], Object.keys(STATES))
    assert.deepEqual(
      new Set([...table.values()].flatMap((cells) => [...cells.values()])),
      new Set(Object.keys(OUTCOMES)),
    )
  })

  test('is of states that have just these parts', () => {
    const parts = ['leaseMs', 'leases', 'nodeId', 'phase', 'renewAtMs', 'renewing']
    assert.deepEqual(Object.keys(newNodeLease(LEASE_MS)).sort(), parts)
  })

  test('is of every state there is, and of no other', () => {
    assert.deepEqual(reachable(events.map(([, event]) => event)).sort(), Object.keys(STATES).sort())
  })

  for (const [name, event] of events) {
    test(`says what happens on: ${name}`, () => {
      for (const [state, stand] of Object.entries(STATES)) {
        for (const [kind, leases] of Object.entries(LEASES)) {
          const outcome = OUTCOMES[table.get(name)?.get(state) ?? '']
          const what = `${name}: ${state}, leases: ${kind}`
          assert.ok(outcome, what)
          const renewAtMs = NOW.monotonicMs + (RENEWS_IN_MS[name] ?? 0)
          const before = { ...newNodeLease(LEASE_MS), ...stand, nodeId: NODE_ID, leases, renewAtMs }
          const { state: after, effects } = holdNodeLease(before, event, NOW)
          assert.equal(after.phase, outcome.phase ?? stand.phase, what)
          assert.equal(after.renewing !== null, outcome.isRenewing ?? stand.renewing !== null, what)
          assert.deepEqual(
            effects.map(({ type }) => type),
            outcome.effect === undefined ? [] : [outcome.effect],
            what,
          )
          const decides = outcome.decides[Object.keys(LEASES).indexOf(kind)] === '+'
          assert.equal(nodeMayDecide(after, SEQ, NOW), decides, what)
          assert.equal(grantableMs(after, SEQ, NOW) > 0, decides && after.phase === 'member', what)
        }
      }
    })
  }
})

function nameOf({ phase, renewing: inFlight }: Stand): string | undefined {
  return Object.entries(STATES).find(
    ([, each]) => each.phase === phase && (each.renewing === null) === (inFlight === null),
  )?.[0]
}

/** The names of all states that are reached from the first by any events. */
function reachable(events: readonly NodeLeaseEvent[]): string[] {
  const seen = new Set<string>()
  const open = [newNodeLease(LEASE_MS)]
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    const name = nameOf(state)
    assert.ok(name !== undefined, `${state.phase}, renewing: ${state.renewing !== null}`)
    if (seen.has(name)) continue
    seen.add(name)
    for (const event of events) open.push(holdNodeLease(state, event, { ...NOW, monotonicMs: state.renewAtMs }).state)
  }
  return [...seen]
}

/** A node on a clock of its own. */
class Walk {
  readonly time = new ManualTime()
  state = newNodeLease(LEASE_MS)

  do(...events: readonly NodeLeaseEvent[]): NodeLeaseEffect[] {
    return events.flatMap((event) => {
      const { state, effects } = holdNodeLease(this.state, event, this.time.now)
      this.state = state
      return effects
    })
  }

  get decides(): boolean {
    return nodeMayDecide(this.state, SEQ, this.time.now)
  }

  get grantableMs(): number {
    return grantableMs(this.state, SEQ, this.time.now)
  }
}

function joined(): Walk {
  const walk = new Walk()
  walk.do({ type: 'join', nodeId: NODE_ID }, { type: 'joined' })
  return walk
}

function leased(): Walk {
  const walk = joined()
  walk.do({ type: 'renewed', headSeq: SEQ, appliedSeq: SEQ })
  return walk
}

test('a node decides nothing before it was a member and has read the head after that', () => {
  const walk = new Walk()
  assert.deepEqual(walk.do({ type: 'join', nodeId: NODE_ID }), [{ type: 'join', nodeId: NODE_ID, leaseMs: LEASE_MS }])
  assert.deepEqual(walk.do({ type: 'joined' }), [{ type: 'renew', nodeId: NODE_ID }])
  assert.ok(!walk.decides)
  walk.do({ type: 'renewed', headSeq: SEQ + 1, appliedSeq: SEQ })
  assert.ok(!walk.decides, 'it has not applied what the head names')
  assert.ok(nodeMayDecide(walk.state, SEQ + 1, walk.time.now))
})

test('the lease of a node counts from before its renewal was sent, and is used to four fifths', () => {
  const walk = joined()
  walk.time.advance(7_000)
  walk.do({ type: 'renewed', headSeq: SEQ, appliedSeq: SEQ })
  assert.equal(walk.grantableMs, USABLE_MS - 7_000)
  walk.time.advance(USABLE_MS - 7_000 - 1)
  assert.ok(walk.decides)
  walk.time.advance(1)
  assert.ok(!walk.decides)
})

test('a node never grants beyond its own lease', () => {
  const walk = leased()
  for (let ms = 0; ms < USABLE_MS; ms += 1_000) {
    assert.equal(walk.grantableMs, USABLE_MS - ms)
    walk.time.advance(1_000)
  }
  assert.ok(walk.grantableMs <= 0)
})

test('a node that was suspended has lapsed, and one whose wall clock is set back has no longer lease', () => {
  const walk = leased()
  walk.time.stepWall(-3_600_000)
  assert.equal(walk.grantableMs, USABLE_MS)
  walk.time.stepWall(3_600_000)
  walk.time.suspend(USABLE_MS)
  assert.ok(!walk.decides)
  assert.ok(walk.grantableMs <= 0)
})

test('a node that is missed renews at once, and not again and again while that fails', () => {
  const walk = leased()
  walk.time.suspend(USABLE_MS)
  assert.ok(!walk.decides)
  assert.deepEqual(walk.do({ type: 'missed' }, { type: 'missed' }), [{ type: 'renew', nodeId: NODE_ID }])
  walk.do({ type: 'renewal_failed' })
  assert.deepEqual(walk.do({ type: 'missed' }), [])
  walk.time.advance(RENEWAL_MS / 4)
  assert.deepEqual(walk.do({ type: 'due' }), [{ type: 'renew', nodeId: NODE_ID }])
  walk.do({ type: 'renewed', headSeq: SEQ, appliedSeq: SEQ })
  assert.ok(walk.decides)
})

test('a renewal that failed renews nothing, and is sent again soon', () => {
  const walk = leased()
  walk.time.advance(RENEWAL_MS)
  assert.deepEqual(walk.do({ type: 'due' }), [{ type: 'renew', nodeId: NODE_ID }])
  walk.do({ type: 'renewal_failed' })
  assert.equal(walk.grantableMs, USABLE_MS - RENEWAL_MS)
  walk.time.advance(RENEWAL_MS / 4)
  assert.deepEqual(walk.do({ type: 'due' }), [{ type: 'renew', nodeId: NODE_ID }])
})

test('a node whose renewal finds no row decides nothing more, until it has joined with another id and renewed', () => {
  const walk = leased()
  walk.time.advance(RENEWAL_MS)
  walk.do({ type: 'due' })
  assert.deepEqual(walk.do({ type: 'not_member' }), [{ type: 'rejoin' }])
  assert.ok(!walk.decides)
  assert.equal(walk.grantableMs, 0)
  walk.do({ type: 'renewed', headSeq: SEQ, appliedSeq: SEQ })
  assert.ok(!walk.decides, 'an answer that nothing was asked for counts for nothing')
  assert.deepEqual(walk.do({ type: 'join', nodeId: OTHER_ID }), [{ type: 'join', nodeId: OTHER_ID, leaseMs: LEASE_MS }])
  walk.do({ type: 'joined' })
  assert.ok(!walk.decides)
  walk.do({ type: 'renewed', headSeq: SEQ, appliedSeq: SEQ })
  assert.ok(walk.decides)
})

test('an earlier lease of a node goes on permitting while the newer names entries to come', () => {
  const walk = leased()
  walk.time.advance(RENEWAL_MS)
  walk.do({ type: 'due' }, { type: 'renewed', headSeq: SEQ + 1, appliedSeq: SEQ })
  assert.equal(walk.grantableMs, USABLE_MS - RENEWAL_MS)
  assert.equal(grantableMs(walk.state, SEQ + 1, walk.time.now), USABLE_MS)
})

test('a node leaves in this order: it grants nothing more, every grant has ended, it decides nothing more, its row goes', () => {
  const walk = leased()
  assert.deepEqual(walk.do({ type: 'all_gone' }), [], 'not before it wants to leave')
  assert.deepEqual(walk.do({ type: 'leave' }), [])
  assert.deepEqual([walk.grantableMs, walk.decides], [0, true])
  assert.deepEqual(walk.do({ type: 'all_gone' }), [{ type: 'leave', nodeId: NODE_ID }])
  assert.ok(!walk.decides)
  walk.do({ type: 'renewed', headSeq: SEQ, appliedSeq: SEQ }, { type: 'due' }, { type: 'joined' })
  assert.ok(!walk.decides, 'whatever comes in later')
})
