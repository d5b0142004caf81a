import { setTimeout as pause } from 'node:timers/promises'
import type { Verifier } from '@rescind/verifier'
import { outcomePlace } from '../history/verification.ts'
import type { VerificationWriter } from '../history/verification-file.ts'
import type { RunClock } from '../run-clock.ts'
import type { KnownTokens } from './known-tokens.ts'

interface Deps {
  readonly verifier: Verifier
  readonly tokens: KnownTokens
  readonly writer: VerificationWriter
  readonly clock: RunClock
  /** After a few verifications in turn. */
  readonly pauseMs: number
}

/** In turn without leaving the event loop to others. */
const IN_TURN = 4
const SWEEP_RETRY_MS = 5

/** Verifies with one verifier, and records every verification. */
export class Verifications {
  readonly #verifier: Verifier
  readonly #tokens: KnownTokens
  readonly #writer: VerificationWriter
  readonly #clock: RunClock
  readonly #pauseMs: number
  count = 0

  constructor({ verifier, tokens, writer, clock, pauseMs }: Deps) {
    this.#verifier = verifier
    this.#tokens = tokens
    this.#writer = writer
    this.#clock = clock
    this.#pauseMs = pauseMs
  }

  /** One verification after the other, of tokens drawn by chance, until it is told to stop. */
  async goOn(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      for (let turn = 0; turn < IN_TURN; turn += 1) {
        const token = this.#tokens.draw()
        if (token !== undefined) await this.#verify(token)
      }
      await pause(this.#pauseMs)
    }
  }

  /** Verifies every token that is known until it is decided about. */
  async sweep(): Promise<void> {
    for (const number of this.#tokens.numbers()) {
      while ((await this.#verify(number)) === 'undecided') await pause(SWEEP_RETRY_MS)
    }
  }

  async #verify(number: number): Promise<string> {
    const token = this.#tokens.get(number)
    const beganNs = this.#clock.nowNs()
    const verdict = await this.#verifier.verify(token)
    const endedNs = this.#clock.nowNs()
    this.#writer.append({ token: number, beganNs, endedNs, place: outcomePlace(verdict) })
    this.count += 1
    return verdict.status
  }
}
