import type { VerifierStatus } from '@rescind/verifier'
import type { MemorySample } from './memory-sample.ts'

/** What the process under observation is told. */
export interface LeakOrder {
  readonly url: string
  /** With the scope `feed`. */
  readonly token: string
  /** File of the tokens to verify, a line each, all of the same length. */
  readonly tokensFile: string
  readonly verifications: number
  readonly reconnections: number
}

/** What it tells. */
export type LeakReport =
  /** It is connected, for the first time or again, and may decide. */
  | { readonly type: 'connected' }
  /** It has verified, and connected again, as often as it was told. */
  | { readonly type: 'done'; readonly samples: readonly MemorySample[]; readonly counters: VerifierStatus['counters'] }
