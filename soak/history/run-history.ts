import type { Verification } from './verification.ts'

/**
 * What was done to a service and heard from it, as its clients know it, and what became of every verification. Nothing
 * in it depends on how many processes make up the service. Moments are in nanoseconds since the run began.
 */
export interface RunHistory {
  /** By number. */
  readonly tokens: readonly KnownToken[]
  readonly endings: readonly Ending[]
  readonly faults: readonly FaultRecord[]
  readonly verifiers: readonly VerifierHistory[]
  /** From then on nothing failed any more, and every verifier verified every token once more; `null` without that. */
  readonly sweepFromNs: number | null
}

/** A token, or what looks like one. */
export interface KnownToken {
  /** `null` of what was never issued, and must never be valid. */
  readonly issued: Issued | null
}

interface Issued {
  readonly sentNs: number
  /** When the answer with the token had arrived. */
  readonly answeredNs: number
  readonly memberId: string
  readonly businessId: string
}

/** Something that ends tokens, and every attempt at it. */
export interface Ending {
  readonly target: EndingTarget
  readonly attempts: readonly Attempt[]
}

/** What it ends: a token by number, or every token that a member or a business has by then. */
export type EndingTarget =
  | { readonly kind: 'token'; readonly token: number }
  | { readonly kind: 'member'; readonly memberId: string }
  | { readonly kind: 'business'; readonly businessId: string }

/** One request. */
export interface Attempt {
  /** Before anything of it was sent. */
  readonly sentNs: number
  /** When its outcome was known; one without an answer may have taken effect all the same, but not later. */
  readonly endedNs: number
  /** `answered`: with the success that promises the end of the tokens. `refused`: 503. `broken`: no answer came. */
  readonly outcome: 'answered' | 'refused' | 'broken'
}

/** Something that went wrong on purpose. */
export interface FaultRecord {
  readonly kind: string
  /** The verifier that it struck, by number; `null` when it struck a service, or what services stand on. */
  readonly verifier: number | null
  readonly beganNs: number
  /** When nothing of it was left but its consequences. */
  readonly endedNs: number
}

/** What one process verified. */
export interface VerifierHistory {
  /** Several processes, one after the other, may have been the same verifier. */
  readonly verifier: number
  readonly incarnation: number
  /** It never asks the service, so that what it has rejected as revoked it rejects for ever. */
  readonly decidesAlone: boolean
  /** In the order in which they ended. */
  readonly verifications: Iterable<Verification>
}
