import type { RejectionReason } from '@rescind/protocol'
import type { UndecidedReason } from '../verdict.ts'

/**
 * Why a request was refused. A closed list: that of the verdicts, and what is wrong before there is anything to verify.
 *
 * - `no_credential`: no `Authorization` header, or an empty one
 * - `not_bearer`: a credential of another scheme
 * - `several_credentials`: more than one `Authorization` header. With Hono these are one by the time they can be seen,
 *   and `malformed` or `not_bearer`.
 */
export type RefusalReason = RejectionReason | UndecidedReason | 'no_credential' | 'not_bearer' | 'several_credentials'

/** What the client is not told, for the log. Holds no token. */
export interface Refusal {
  /** Of the answer: 403 when the token is good but not for this request, 503 when nothing could be decided about it. */
  readonly status: 401 | 403 | 503
  readonly reason: RefusalReason
  /** Id (UUID) of the token's record, known once its signature was found good. */
  readonly tokenId?: string
}
