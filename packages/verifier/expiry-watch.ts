import type { Clocks, Timers } from '@rescind/protocol'
import type { Credential } from './credential.ts'

interface Deps {
  readonly credential: Pick<Credential, 'issuedAtMs' | 'expiresAtMs'>
  readonly clocks: Clocks
  readonly timers: Timers
  /** Told when the credential ends soon, and again each time half of what was left has passed. */
  readonly onExpiring: (expiresAtMs: number) => void
}

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

/** Soon is the last tenth of its life, two weeks at most. */
const SOON_SHARE = 0.1
const SOON_AT_MOST_MS = 14 * DAY_MS

/** Looks after the end of a credential, as far as that can be read from it. */
export class ExpiryWatch {
  readonly #deps: Deps
  #watchedMs: number | undefined
  #cancel = (): void => {}

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Watches the credential as it is now; harmless when that is watched already. */
  watch(): void {
    const { expiresAtMs, issuedAtMs = Number.NEGATIVE_INFINITY } = this.#deps.credential
    if (expiresAtMs === undefined || expiresAtMs === this.#watchedMs) return
    this.stop()
    this.#watchedMs = expiresAtMs
    const soonMs = Math.min((expiresAtMs - issuedAtMs) * SOON_SHARE, SOON_AT_MOST_MS)
    this.#lookAt(expiresAtMs - soonMs, expiresAtMs)
  }

  stop(): void {
    this.#watchedMs = undefined
    this.#cancel()
  }

  #lookAt(atMs: number, expiresAtMs: number): void {
    const { clocks, timers } = this.#deps
    const waitMs = Math.max(0, atMs - clocks.nowMs())
    // The wall clock may be set meanwhile, and timers take no more than 24 days.
    this.#cancel = timers.after(Math.min(waitMs, DAY_MS), () => {
      if (clocks.nowMs() < atMs) this.#lookAt(atMs, expiresAtMs)
      else this.#expiring(expiresAtMs)
    })
  }

  #expiring(expiresAtMs: number): void {
    const { clocks, onExpiring } = this.#deps
    const leftMs = expiresAtMs - clocks.nowMs()
    if (leftMs > 0) this.#lookAt(expiresAtMs - Math.max(0, leftMs / 2 - MINUTE_MS), expiresAtMs)
    onExpiring(expiresAtMs)
  }
}
