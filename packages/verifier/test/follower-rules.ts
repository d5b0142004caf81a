import assert from 'node:assert/strict'
import { type Instant, instantOf, MAX_FORMER_IDS } from '@rescind/protocol'
import type { ManualTime } from '../../protocol/test/manual-time.ts'
import { type FollowerEffect, type FollowerEvent, type FollowerState, follow, mayDecide } from '../core/follower.ts'

/** What is true of every step of a follower, whatever the state and the event. */
export function step(
  state: FollowerState,
  event: FollowerEvent,
  now: Instant,
): { state: FollowerState; effects: readonly FollowerEffect[] } {
  const before = structuredClone(state)
  const { state: next, effects } = follow(state, event, now)
  assert.deepEqual(state, before, 'a state is never changed, only followed by another')

  assert.ok(next.nonce >= state.nonce && next.connection >= state.connection)
  if (state.home !== null) {
    assert.equal(next.home?.issuer, state.home.issuer)
    assert.equal(next.home?.tokenPrefix, state.home.tokenPrefix)
  }

  const gained = next.leases.filter((lease) => !state.leases.includes(lease))
  const answers =
    event.type === 'message' && event.message.type === 'grant' && event.message.nonce === state.asked?.nonce
  assert.ok(gained.length <= (answers ? 1 : 0), 'a lease comes from the answer to the request in flight only')
  for (const lease of gained) assert.equal(lease.since, state.asked?.since)
  if (answers && gained.length > 0) assert.equal(next.asked, null)

  const { position } = state
  const isLater = next.position !== null && position?.epoch === next.position.epoch && position.seq <= next.position.seq
  if (position !== null && !isLater) assert.deepEqual(next.leases, [], 'whoever goes back holds no lease')

  const welcome = event.type === 'message' && event.message.type === 'welcome' ? event.message : undefined
  const isTaken = welcome !== undefined && state.phase === 'greeting' && next.phase === 'following'
  const called = [...state.verifierIds, ...(isTaken ? [welcome.verifierId] : [])].slice(-MAX_FORMER_IDS)
  assert.deepEqual(next.verifierIds, called, 'it was called what it was welcomed as, and nothing else')
  for (const effect of effects) {
    if (effect.type !== 'send' || effect.message.type !== 'hello') continue
    assert.deepEqual(effect.message.formerly, state.verifierIds, 'it names itself, and nobody else')
  }

  if (mayDecide(next, now)) assert.ok(next.position !== null && !next.diverged && next.phase !== 'closed')
  assert.equal(next.deciding, mayDecide(next, now))

  const names = effects.map(nameOfEffect)
  if (names.includes('send goodbye')) assert.ok(!mayDecide(next, now), 'goodbye is said by who has stopped deciding')
  const acknowledged = names.indexOf('send applied')
  if (acknowledged !== -1) {
    assert.ok(['apply', 'unite'].includes(names[acknowledged - 1] ?? ''), 'applied, then acknowledged')
  }
  return { state: next, effects }
}

export function nameOfEffect(effect: FollowerEffect): string {
  switch (effect.type) {
    case 'send':
      return `send ${effect.message.type}`
    case 'disconnect':
      return `disconnect ${effect.code}`
    case 'notify':
      return `notify ${effect.notice}`
    default:
      return effect.type
  }
}

/** A follower on a clock of its own. */
export class Walk {
  state: FollowerState
  readonly #time: ManualTime

  constructor(state: FollowerState, time: ManualTime) {
    this.state = state
    this.#time = time
  }

  /** @returns the names of the effects */
  do(event: FollowerEvent | ((state: FollowerState) => FollowerEvent)): string[] {
    return this.effectsOf(event).map(nameOfEffect)
  }

  effectsOf(event: FollowerEvent | ((state: FollowerState) => FollowerEvent)): readonly FollowerEffect[] {
    const { state, effects } = step(
      this.state,
      typeof event === 'function' ? event(this.state) : event,
      instantOf(this.#time),
    )
    this.state = state
    return effects
  }

  get decides(): boolean {
    return mayDecide(this.state, instantOf(this.#time))
  }
}
