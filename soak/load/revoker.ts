import { setTimeout as pause } from 'node:timers/promises'
import type { RunRecorder } from '../history/run-recorder.ts'
import type { Random } from '../random.ts'
import type { RunClock } from '../run-clock.ts'
import type { ApiClient } from './api-client.ts'
import { type EndingRequest, endTokens } from './end-tokens.ts'
import type { Holder } from './holders.ts'
import type { TokenPool } from './token-pool.ts'

interface Deps {
  readonly api: ApiClient
  readonly recorder: RunRecorder
  readonly clock: RunClock
  readonly random: Random
  readonly holders: readonly Holder[]
  readonly pool: TokenPool
  /** When what was begun is not carried through any more. */
  readonly giveUp: AbortSignal
  /** Has every verifier look at these tokens more than at others, until the returned function is called. */
  readonly watch: (tokens: readonly number[]) => () => void
}

const MEMBER_CHANCE = 0.03
const BUSINESS_CHANCE = 0.01

/** So that the verifiers have accepted a token before it is ended. */
const LOOK_BEFORE_MS = 20
/** So that they are asked about it again and again afterwards. */
const LOOK_AFTER_MS = 300
const LONGEST_PAUSE_MS = 400

/** Ends tokens, one after the other and sometimes many, until it is told to stop. What was begun is carried through. */
export async function revokeUntil(stop: AbortSignal, deps: Deps): Promise<void> {
  const { random, watch } = deps
  while (!stop.aborted) {
    await pause(random.below(LONGEST_PAUSE_MS))
    const next = nextEnding(deps)
    if (next === undefined) continue
    const unwatch = watch(next.tokens)
    await pause(LOOK_BEFORE_MS)
    await endTokens(deps.giveUp, deps, next)
    setTimeout(unwatch, LOOK_AFTER_MS)
  }
}

function nextEnding({
  random,
  holders,
  pool,
}: Deps): (EndingRequest & { readonly tokens: readonly number[] }) | undefined {
  const holder = random.pick(holders)
  const { businessId, memberId } = holder
  const all = (of: 'member' | 'business') => pool.takeAll(holder, of).map(({ number }) => number)
  if (random.chance(MEMBER_CHANCE)) {
    const path = `/businesses/${businessId}/members/${memberId}/revoke-tokens`
    return { target: { kind: 'member', memberId }, path, businessId, success: 200, tokens: all('member') }
  }
  if (random.chance(BUSINESS_CHANCE)) {
    const path = `/businesses/${businessId}/revoke-tokens`
    return { target: { kind: 'business', businessId }, path, businessId, success: 200, tokens: all('business') }
  }
  const token = pool.takeOne()
  if (token === undefined) return undefined
  return {
    target: { kind: 'token', token: token.number },
    path: `/tokens/${token.id}/revoke`,
    businessId: token.holder.businessId,
    userEmail: token.holder.email,
    success: 201,
    tokens: [token.number],
  }
}
