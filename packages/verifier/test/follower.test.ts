import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Instant } from '@rescind/protocol'
import { type FollowerState, INITIAL_FOLLOWER, mayDecide, wakeAtMs } from '../core/follower.ts'
import { EVENTS } from './follower-events.ts'
import { nameOfEffect, step } from './follower-rules.ts'
import { LEASE_KINDS, type LeaseKind, NOW, nameOf, STANDS, standOf, stateOf } from './follower-states.ts'
import { OUTCOMES, readTable } from './follower-table.ts'

const table = readTable()

function later({ monotonicMs, wallMs }: Instant, ms: number): Instant {
  return { monotonicMs: monotonicMs + ms, wallMs: wallMs + ms }
}

describe('the table of a follower', () => {
  test('has a row for every event and a column for every state', () => {
    assert.deepEqual([...table.keys()].sort(), [...EVENTS.keys()].sort())
    for (const [event, cells] of table) assert.deepEqual([...cells.keys()].sort(), [...STANDS.keys()].sort(), event)
  })

  test('is of states that have just these parts', () => {
    const parts = Object.keys(
      stateOf({ phase: 'waiting', applied: 'new', isAsking: false, isDownloading: false }, 'none'),
    )
    assert.deepEqual(Object.keys(INITIAL_FOLLOWER).sort(), parts.sort())
  })

  test('uses every outcome it explains', () => {
    const used = new Set([...table.values()].flatMap((cells) => [...cells.values()]))
    used.delete('-')
    assert.deepEqual([...used].sort(), Object.keys(OUTCOMES).sort())
  })

  for (const [event, cells] of table) {
    test(`says what happens on: ${event}`, () => {
      for (const [name, code] of cells) {
        const hasLeases = name !== 'idle' && name !== 'closed'
        for (const leases of hasLeases ? LEASE_KINDS : ['none' as const]) if (code !== '-') check(event, name, leases)
      }
    })
  }

  test('is of every state there is: whatever happens, it leads to one of them', () => {
    assert.deepEqual(
      reachable().filter((name) => !STANDS.has(name)),
      [],
    )
  })

  test('is of states that can be reached, all of them', () => {
    const reached = new Set(reachable())
    assert.deepEqual(
      [...STANDS.keys()].filter((name) => !reached.has(name)),
      [],
    )
  })
})

test('nothing that is heard from an earlier or unknown connection has any effect, in any state', () => {
  for (const [name, stand] of STANDS) {
    for (const leases of LEASE_KINDS) {
      const state = stateOf(stand, leases)
      for (const [event, make] of EVENTS) {
        const arrival = make(state)
        if (!('connection' in arrival.event)) continue
        for (const connection of [0, state.connection - 1, state.connection + 1]) {
          if (connection === state.connection) continue
          const { state: next, effects } = step(state, { ...arrival.event, connection }, NOW)
          assert.deepEqual(next, state, `${event} in ${name}`)
          assert.deepEqual(effects, [])
        }
      }
    }
  }
})

test('a follower that is connected, or may decide, is always woken in time', () => {
  for (const stand of STANDS.values()) {
    for (const leases of LEASE_KINDS) {
      const state = stateOf(stand, leases)
      const atMs = wakeAtMs(state, NOW)
      const isTimed = ['connecting', 'greeting', 'following'].includes(state.phase)
      assert.equal(atMs !== undefined, isTimed || mayDecide(state, NOW))
      if (atMs === undefined) continue
      assert.ok(atMs > NOW.monotonicMs)
      const { state: next, effects } = step(state, { type: 'due' }, later(NOW, atMs - NOW.monotonicMs))
      assert.ok(next !== state && effects.length > 0, 'there is something to do then')
    }
  }
})

function check(event: string, name: string, leases: LeaseKind): void {
  const stand = STANDS.get(name)
  const outcome = OUTCOMES[table.get(event)?.get(name) ?? '']
  const make = EVENTS.get(event)
  assert.ok(stand && outcome && make, `${event} in ${name}`)
  const what = `${event} in ${name}, leases: ${leases}`
  const state = stateOf(stand, leases)
  const { event: arriving, afterMs } = make(state)
  const { state: next, effects } = step(state, arriving, later(NOW, afterMs))

  const expected = { ...stand, ...outcome.next }
  const decides = expected.applied === 'placed' && outcome.decides[LEASE_KINDS.indexOf(leases)] === '+'
  const told = state.deciding === decides ? [] : [decides ? 'notify caught_up' : 'notify lapsed']
  assert.equal(nameOf(standOf(next)), nameOf(expected), what)
  assert.deepEqual(effects.map(nameOfEffect), [...outcome.effects, ...told], what)
  assert.equal(mayDecide(next, later(NOW, afterMs)), decides, what)
  if (outcome === OUTCOMES['.']) assert.deepEqual(next, state, what)
}

/** The names of all states that are reached from the first by any events, each kind of state taken further once. */
function reachable(): string[] {
  const seen = new Map<string, FollowerState>()
  const open = [{ state: INITIAL_FOLLOWER, lastConnection: -1 }]
  for (let from = open.pop(); from !== undefined; from = open.pop()) {
    const { state, lastConnection } = from
    const isConnected = !['idle', 'waiting'].includes(state.phase)
    if (!isConnected) assert.ok(state.connection > lastConnection, 'no connection has the number of a pause')
    for (const make of EVENTS.values()) {
      const { event, afterMs } = make(state)
      if ('connection' in event && !isConnected) continue
      const { state: next, effects } = step(state, event, later(NOW, afterMs))
      const connects = effects.find((effect) => effect.type === 'connect')
      assert.ok((connects?.connection ?? Infinity) > lastConnection, 'each connection has a number of its own')
      if (seen.has(keyOf(next))) continue
      seen.set(keyOf(next), next)
      open.push({ state: next, lastConnection: connects?.connection ?? lastConnection })
    }
  }
  return [...new Set([...seen.values()].map((state) => nameOf(standOf(state))))]
}

function keyOf(state: FollowerState): string {
  return `${nameOf(standOf(state))} ${Math.min(state.leases.length, 2)} ${state.deciding}`
}
