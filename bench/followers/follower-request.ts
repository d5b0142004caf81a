import type { Applied } from './applications.ts'
import type { Verifications } from './verify-every-ms.ts'

/** What a follower process is told. */
export type FollowerRequest =
  /** Answered when so many verifiers may decide. */
  | { readonly type: 'attach'; readonly port: number; readonly token: string; readonly count: number }
  /** Answered when the service knows that they have stopped deciding. */
  | { readonly type: 'detach' }
  /** Observe what they do from now on; one of them verifies this token every millisecond, if there is one. */
  | { readonly type: 'observe'; readonly token: string | null }
  /** Tell what was observed, and stop. */
  | { readonly type: 'observed' }

/** What was observed; nothing, for most requests. */
export interface FollowerAnswer {
  readonly verifications: Verifications
  /** How long each grant took from asking for it. */
  readonly heartbeatsMs: readonly number[]
  /** One of each attached verifier. */
  readonly applied: readonly Applied[]
}
