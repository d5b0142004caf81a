import type { TokenSeen } from '../model/verifier-report.ts'

/** A token and what this process has seen of it. */
export class WatchedToken {
  readonly number: number
  readonly token: string
  #verdict: TokenSeen['verdict'] | undefined
  #lastAcceptBeganMs: number | null = null
  #firstRefusedMs: number | null = null

  constructor(number: number, token: string) {
    this.number = number
    this.token = token
  }

  /** Takes in a verdict. Says whether it differs from the one before. */
  note(verdict: TokenSeen['verdict'], beganMs: number, endedMs: number): boolean {
    if (verdict === 'valid') this.#lastAcceptBeganMs = beganMs
    if (verdict === 'rejected') this.#firstRefusedMs ??= endedMs
    const isNews = verdict !== this.#verdict
    this.#verdict = verdict
    return isNews
  }

  /** `undefined` before the first verdict. */
  get seen(): TokenSeen | undefined {
    if (this.#verdict === undefined) return undefined
    return {
      token: this.number,
      verdict: this.#verdict,
      lastAcceptBeganMs: this.#lastAcceptBeganMs,
      firstRefusedMs: this.#firstRefusedMs,
    }
  }
}
