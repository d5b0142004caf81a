import { setTimeout as pause } from 'node:timers/promises'
import type { RunRecorder } from '../history/run-recorder.ts'
import type { VerifierSlot } from '../processes/verifier-slot.ts'
import type { Random } from '../random.ts'
import type { RunClock } from '../run-clock.ts'
import type { ApiClient } from './api-client.ts'
import { createHolders } from './holders.ts'
import { revokeUntil } from './revoker.ts'
import { TokenPool } from './token-pool.ts'
import { WatchedTokens } from './watched-tokens.ts'

interface Deps {
  readonly api: ApiClient
  readonly recorder: RunRecorder
  readonly clock: RunClock
  readonly verifiers: readonly VerifierSlot[]
  /** Streams of numbers, by name. */
  readonly randomFor: (purpose: string) => Random
}

const REVOKERS = 24
const BUSINESSES = 4
const MEMBERS_EACH = 4
const LIVING_TOKENS = 100
const FORGED_TOKENS = 3
const REFILL_MS = 50

/** Has tokens issued, so that the verifiers have some to verify. */
export async function startWorkload(deps: Deps) {
  const { api, verifiers, randomFor } = deps
  const holders = await createHolders(api, BUSINESSES, MEMBERS_EACH)
  const publish = (tokens: readonly (readonly [number, string])[]) => {
    for (const verifier of verifiers) verifier.addTokens(tokens)
  }
  const pool = new TokenPool({ ...deps, holders, publish, random: randomFor('pool') })
  for (let forged = 0; forged < FORGED_TOKENS; forged += 1) await pool.forgeOne()
  await pool.fill(LIVING_TOKENS)
  const watched = new WatchedTokens((tokens) => {
    for (const verifier of verifiers) verifier.watch(tokens)
  })
  const watch = (tokens: readonly number[]) => watched.add(tokens)

  /**
   * Has tokens ended, and others issued for them, until `enough`. What was begun is carried through after that, until
   * `giveUp`.
   */
  return async (enough: AbortSignal, giveUp: AbortSignal): Promise<void> => {
    const revoking = Array.from({ length: REVOKERS }, (_, revoker) => {
      const random = randomFor(`revoker ${revoker}`)
      return revokeUntil(enough, { ...deps, random, holders, pool, watch, giveUp })
    })
    await Promise.all([...revoking, keepFull(pool, enough)])
  }
}

async function keepFull(pool: TokenPool, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    await pool.fill(LIVING_TOKENS)
    await pause(REFILL_MS)
  }
}
