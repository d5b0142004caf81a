import { setTimeout as pause } from 'node:timers/promises'
import type { EndingTarget } from '../history/run-history.ts'
import type { AttemptEnd, RunRecorder } from '../history/run-recorder.ts'
import type { Random } from '../random.ts'
import type { RunClock } from '../run-clock.ts'
import type { ApiClient, ApiRequest } from './api-client.ts'

interface Deps {
  readonly api: ApiClient
  readonly recorder: RunRecorder
  readonly clock: RunClock
  readonly random: Random
}

/** What is ended: the success that promises it, and how to ask for it. */
export interface EndingRequest {
  readonly target: EndingTarget
  readonly path: string
  readonly businessId: string
  /** Whose token it is; absent for all of many. */
  readonly userEmail?: string
  readonly success: 200 | 201
}

const RETRY_MS = 50
const HANG_UP_CHANCE = 0.06
const REPEAT_CHANCE = 0.1
const LONGEST_PATIENCE_MS = 30

/**
 * Asks for the end of tokens until that is answered, and sometimes once more. A client may hang up before the answer
 * and ask again, unless it ends many tokens: nobody could tell which were issued before that took effect.
 *
 * @param giveUp ends it without an answer
 */
export async function endTokens(giveUp: AbortSignal, deps: Deps, { target, ...asked }: EndingRequest): Promise<void> {
  const { random, recorder } = deps
  const { success, ...parts } = asked
  const request = { method: 'POST', ...parts } as const
  const attempt = recorder.addEnding(target)
  const isOne = target.kind === 'token'
  while (!giveUp.aborted) {
    const patienceMs = isOne && random.chance(HANG_UP_CHANCE) ? random.below(LONGEST_PATIENCE_MS) : undefined
    const patience = patienceMs === undefined ? [] : [AbortSignal.timeout(patienceMs)]
    const hangUp = AbortSignal.any([giveUp, ...patience])
    const outcome = await attempt(() => ask(deps, request, success, hangUp))
    if (outcome !== 'answered') await pause(RETRY_MS)
    else if (!isOne || !random.chance(REPEAT_CHANCE)) return
  }
}

async function ask(
  { api, clock }: Deps,
  request: ApiRequest,
  success: number,
  hangUp: AbortSignal,
): Promise<AttemptEnd> {
  const answer = await api.send(request, hangUp).catch(() => undefined)
  if (answer === undefined) return { outcome: 'broken', endedNs: clock.nowNs() }
  const { status, arrivedNs: endedNs } = answer
  if (status === success) return { outcome: 'answered', endedNs }
  if (status === 503) return { outcome: 'refused', endedNs }
  throw new Error(`The service answered ${status} to ${request.path}`)
}
