import type { RunRecorder } from '../history/run-recorder.ts'
import type { Random } from '../random.ts'
import type { RunClock } from '../run-clock.ts'
import type { ApiClient } from './api-client.ts'
import type { Holder } from './holders.ts'
import { issueTo } from './issue-token.ts'

/** A token that nobody has begun to end. */
export interface LivingToken {
  readonly number: number
  readonly id: string
  readonly holder: Holder
}

interface Deps {
  readonly api: ApiClient
  readonly recorder: RunRecorder
  readonly clock: RunClock
  readonly random: Random
  readonly holders: readonly Holder[]
  /** Hands new tokens to whoever verifies them. */
  readonly publish: (tokens: readonly (readonly [number: number, token: string])[]) => void
}

const AT_A_TIME = 4

/** The tokens of a run, kept at a number of living ones. */
export class TokenPool {
  readonly #deps: Deps
  #living: LivingToken[] = []

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Issues what is missing. */
  async fill(size: number): Promise<void> {
    const missing = size - this.#living.length
    const issueUntil = async (first: number) => {
      for (let issued = first; issued < missing; issued += AT_A_TIME) await this.#issueOne()
    }
    await Promise.all(Array.from({ length: AT_A_TIME }, (_, first) => issueUntil(first)))
  }

  /** Adds a token whose signature belongs to another one. */
  async forgeOne(): Promise<void> {
    const { api, random, holders, recorder, publish } = this.#deps
    const issueOne = async () => (await issueTo(api, random.pick(holders))).token.split('.')
    const [[header, payload], [, , signature]] = await Promise.all([issueOne(), issueOne()])
    publish([[recorder.addToken({ issued: null }), [header, payload, signature].join('.')]])
  }

  /** Takes one out of those that live, if there are any. */
  takeOne(): LivingToken | undefined {
    const { length } = this.#living
    return length === 0 ? undefined : this.#living.splice(this.#deps.random.below(length), 1)[0]
  }

  /** Takes all of a holder, or of the whole business, out of those that live. */
  takeAll(holder: Holder, of: 'member' | 'business'): LivingToken[] {
    const key = of === 'member' ? 'memberId' : 'businessId'
    const { taken = [], left = [] } = Object.groupBy(this.#living, (token) =>
      token.holder[key] === holder[key] ? 'taken' : 'left',
    )
    this.#living = left
    return taken
  }

  async #issueOne(): Promise<void> {
    const { api, random, holders, recorder, clock, publish } = this.#deps
    const holder = random.pick(holders)
    const sentNs = clock.nowNs()
    const { token, id, answeredNs } = await issueTo(api, holder)
    const { memberId, businessId } = holder
    const number = recorder.addToken({ issued: { sentNs, answeredNs, memberId, businessId } })
    this.#living.push({ number, id, holder })
    publish([[number, token]])
  }
}
