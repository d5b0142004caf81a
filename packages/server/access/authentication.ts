import type { ErrorCode, RejectionReason } from '@rescind/protocol'
import type { Principal } from './principal.ts'

/** Why a request is not authenticated. Goes to the log; the client sees one 401 for all of them. */
export type AuthenticationFailure = RejectionReason | 'no_credential' | 'not_bearer' | 'several_credentials'

/** Who is asking, or why that is not known. */
export type Authentication =
  | { readonly principal: Principal }
  | {
      readonly rejected: AuthenticationFailure
      /** Id of the token's record, known once its signature was found good. Safe to log. */
      readonly tokenId?: string
      /** A credential was presented (RFC 6750 section 3.1 names an error only then). */
      readonly presented: boolean
    }
  | { readonly unavailable: ErrorCode }
