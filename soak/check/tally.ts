import type { Verification } from '../history/verification.ts'
import type { TokenBounds } from './token-bounds.ts'

/** So long after the end of a token, a verifier that had not heard of it would most likely still accept it. */
const SOON_NS = 100e6

/** What was verified, added up. */
export class Tally {
  verifications = 0
  accepted = 0
  rejected = 0
  undecided = 0
  /** Began within 100 ms after the end of the token was answered: those that a late verifier would have got wrong. */
  soonAfter = 0
  /** Accepted, begun before the end of the token was answered, ended after it. */
  acceptedAcross = 0
  /** By reason. */
  readonly reasons = new Map<string, number>()

  add({ beganNs, endedNs, outcome }: Verification, deadFromNs: TokenBounds['deadFromNs']): void {
    this.verifications += 1
    if (beganNs > deadFromNs && beganNs <= deadFromNs + SOON_NS) this.soonAfter += 1
    if (outcome.status === 'valid') {
      this.accepted += 1
      if (beganNs <= deadFromNs && endedNs > deadFromNs) this.acceptedAcross += 1
      return
    }
    this[outcome.status] += 1
    const reason = `${outcome.status}: ${outcome.reason}`
    this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1)
  }
}
