import type { ErrorCode, ManagementScope } from '@rescind/protocol'
import type { Static, TSchema } from 'typebox'
import type { Principal } from '../access/principal.ts'
import type { SuccessCode } from './success-codes.ts'

/**
 * A route is data: validation, the typed handler and the OpenAPI document all come from this one entry.
 *
 * The order of checks is the same everywhere: 401, business header 400, business and scope 403, path 400, query and
 * body 422, and only then the handler, which answers 404 and ownership 403.
 */
export interface Route<
  Query extends TSchema = TSchema,
  Body extends TSchema = TSchema,
  Data extends TSchema = TSchema,
> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** With `{name}` for path parameters, every one of which is a UUID unless {@link freePathIds} says otherwise. */
  readonly path: string
  readonly operationId: string
  readonly tag: string
  readonly summary: string
  readonly description: string
  /** A member's token must carry one of these (after its role cut them down); an operator's carries `operator` unless they are listed here. */
  readonly scopes: readonly ManagementScope[]
  /** Where the business comes from: the required header, the path (header optional for operators), or nowhere. */
  readonly business: 'header' | 'path' | 'none'
  /** Path parameters that are not UUIDs. */
  readonly freePathIds?: readonly string[]
  readonly query?: Query
  readonly body?: Body
  /** An absent, empty or `null` body is allowed and reads as `null`. */
  readonly bodyOptional?: boolean
  readonly success: {
    readonly status: 200 | 201
    readonly description: string
    readonly schemaName: string
    readonly data: Data
    readonly codes: readonly SuccessCode[]
  }
  readonly errors: readonly ErrorCode[]
  readonly headers?: Readonly<Record<string, string>>
  readonly handler: (call: Call<Static<Query>, Static<Body>>) => Promise<Answer<Static<Data>>>
}

/** An authenticated, authorised and validated request. */
export interface Call<Query = unknown, Body = unknown> {
  readonly principal: Principal
  /** The selected business; `null` when an operator acts for itself. */
  readonly businessId: string | null
  /** `x-user-email`, lower case, tokens redacted. */
  readonly claimedEmail: string | null
  readonly requestId: string
  readonly params: Readonly<Record<string, string>>
  readonly query: Query
  readonly body: Body
}

export type Answer<Data> =
  | {
      readonly code: SuccessCode
      readonly message: string
      readonly data: Data
      readonly headers?: Readonly<Record<string, string>>
    }
  | { readonly refused: ErrorCode }
