import type { Readable } from 'node:stream'
import type { ErrorCode, InForce } from '@rescind/protocol'
import type { Static, TSchema } from 'typebox'
import type { Caller } from '../access/access.ts'
import type { Requirement } from '../access/authorize.ts'
import type { SuccessCode } from './success-codes.ts'

/**
 * A route is data: validation, the typed handler and the OpenAPI document all come from this one entry.
 *
 * The order of checks is the same everywhere: 401, business header 400, business and scope 403, path 400, query and
 * body 422, and only then the handler, which answers 404 and ownership 403.
 */
export interface Route extends Requirement {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** With `{name}` for path parameters, every one of which is a UUID unless {@link freePathIds} says otherwise. */
  readonly path: string
  readonly operationId: string
  readonly tag: string
  readonly summary: string
  readonly description: string
  /** Path parameters that are not UUIDs. */
  readonly freePathIds?: readonly string[]
  readonly query?: TSchema
  readonly body?: TSchema
  /** An absent, empty or `null` body is allowed and reads as `null`. */
  readonly bodyOptional?: boolean
  readonly success: EnvelopeSuccess | FileSuccess
  /** Refusals of the handler; those that every route has are not repeated. */
  readonly errors: readonly ErrorCode[]
  handler(call: Call): Answer<unknown> | Promise<Answer<unknown>>
}

export interface EnvelopeSuccess {
  readonly status: 200 | 201
  readonly description: string
  readonly schemaName: string
  readonly data: TSchema
  readonly codes: readonly SuccessCode[]
  /** Whether the answer waits for an entry of the log, and says in its headers how that came to be in force. */
  readonly inForce?: 'always' | 'sometimes'
}

/** The one kind of answer that is not JSON. */
interface FileSuccess {
  readonly status: 200
  readonly description: string
  readonly mediaType: string
}

/** Path parameters by name. */
export type PathParams = Readonly<Record<string, string>>

/** An authenticated, authorised and validated request. */
export interface Call<Query = unknown, Body = unknown, Params = PathParams> extends Caller {
  readonly params: Params
  readonly query: Query
  readonly body: Body
}

/** What a handler answers: the data of a success envelope, whose message is the code's, a file, or a refusal. */
export type Answer<Data> = Success<Data> | { readonly file: FileContent } | { readonly refused: ErrorCode }

export interface FileContent {
  readonly bytes: number
  readonly content: Readable
}

interface Success<Data> {
  readonly code: SuccessCode
  readonly data: Data
  /** Of the entry that the answer waited for. */
  readonly inForce?: InForce | undefined
}

/** `{name}`s of a path. */
type ParamsOf<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Readonly<Record<Name, string>> & ParamsOf<Rest>
  : unknown

/** A route whose handler's types follow from its own path and schemas. */
export function defineRoute<
  const Path extends string,
  Data extends TSchema,
  Query extends TSchema = TSchema,
  Body extends TSchema = TSchema,
  const Optional extends boolean = false,
>(
  route: Omit<Route, 'handler' | 'success'> & {
    readonly path: Path
    readonly query?: Query
    readonly body?: Body
    readonly bodyOptional?: Optional
    readonly success: (EnvelopeSuccess & { readonly data: Data }) | FileSuccess
    handler(
      call: Call<Static<Query>, Static<Body> | (Optional extends true ? null : never), ParamsOf<Path>>,
    ): Answer<Static<Data>> | Promise<Answer<Static<Data>>>
  },
): Route
// Sound because the edge decodes every call with the schemas of this same entry.
export function defineRoute(route: Route): Route {
  return route
}
