import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { decodeServiceMessage, encodeServiceMessage } from '@rescind/protocol'
import { type Message, Mutator } from '../../protocol/test/mutator.ts'
import type { FollowerEvent, FollowerState } from '../core/follower.ts'
import { EVENTS } from './follower-events.ts'
import { step } from './follower-rules.ts'
import { LEASE_KINDS, LOG, NOW, STANDS, stateOf } from './follower-states.ts'
import { randomFrom } from './random-from.ts'

const MUTANTS_EACH = 14

/** What a follower makes of a message; `undefined` for an answer to its request, which nothing but encryption can tell from a true one. */
function eventOf(state: FollowerState, message: Message): FollowerEvent | undefined {
  const { connection } = state
  if (typeof message !== 'string') return { type: 'piece', connection, bytes: message }
  const said = decodeServiceMessage(message)
  if (said === undefined) return { type: 'unreadable', connection }
  if (said.type === 'grant' && said.nonce === state.asked?.nonce) return undefined
  return { type: 'message', connection, message: said }
}

function messageOf(event: FollowerEvent): Message | undefined {
  if (event.type === 'piece') return event.bytes
  return event.type === 'message' ? encodeServiceMessage(event.message) : undefined
}

test('no altered message, in no state, gives a follower a lease, or has it apply what is not in the log', () => {
  const mutator = new Mutator(randomFrom(41))
  let mutants = 0
  for (const stand of STANDS.values()) {
    if (stand.phase === 'idle' || stand.phase === 'waiting') continue
    for (const leases of LEASE_KINDS) {
      const state = stateOf(stand, stand.phase === 'closed' ? 'none' : leases)
      for (const make of EVENTS.values()) {
        const { event } = make(state)
        const message = messageOf(event)
        if (message === undefined) continue
        mutator.see(message)
        for (let n = 0; n < MUTANTS_EACH; n++) {
          const altered = eventOf(state, mutator.mutate(message))
          if (altered === undefined || isDeepStrictEqual(altered, event)) continue
          mutants += 1
          const { state: next } = step(state, altered, NOW)
          const { position } = next
          if (position !== null) assert.deepEqual(position, LOG.position(position.seq))
          assert.ok(next.leases.every((lease) => state.leases.includes(lease)))
        }
      }
    }
  }
  assert.ok(mutants > 30_000, `${mutants} messages only`)
})
