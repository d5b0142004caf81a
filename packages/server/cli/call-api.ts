import type { Connection } from './connection.ts'
import type { Context } from './context.ts'
import { EXIT_CODES, type ExitCode, exitCodeForStatus } from './exit-codes.ts'

/** One request to the service. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** From `/api/v1` on, already encoded. */
  readonly path: string
  /** Absent values are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  /** Absent fields are left out; without a body, none is sent. */
  readonly body?: Readonly<Record<string, unknown>>
  /** Named in the business header; `undefined` sends none. */
  readonly businessId: string | undefined
}

/** The body of every success. */
export interface Envelope {
  readonly success: true
  readonly message: string
  readonly code: string
  readonly data: Readonly<Record<string, unknown>>
}

/** What is wrong with one field of a request. */
export interface FieldError {
  readonly loc: readonly (string | number)[]
  readonly msg: string
}

/** Why there is no success, in the shape of the service's own errors. */
export interface Refusal {
  readonly exitCode: ExitCode
  /** Absent when no HTTP answer came. */
  readonly status?: number
  readonly detail: string | readonly FieldError[]
  readonly retryAfterSeconds?: number
}

export type ApiAnswer = { readonly envelope: Envelope } | { readonly refusal: Refusal }

/** Sends one request. Whatever comes back, or does not, is an answer: this never throws for what the network does. */
export async function callApi(context: Context, connection: Connection, request: ApiRequest): Promise<ApiAnswer> {
  try {
    const response = await send(context, connection, request)
    return readAnswer(connection, response, parseJson(await response.text()))
  } catch (error) {
    return { refusal: unanswered(connection, error) }
  }
}

/**
 * As {@link callApi}, for an answer that is a file.
 *
 * @param write takes the next bytes of it; what it throws goes on
 * @returns why there is none, or not all of it
 */
export async function download(
  context: Context,
  connection: Connection,
  request: ApiRequest,
  write: (chunk: Uint8Array) => Promise<void>,
): Promise<Refusal | undefined> {
  let chunks: AsyncIterator<Uint8Array> | undefined
  try {
    const response = await send(context, connection, request)
    if (!response.ok || response.headers.get('content-type') === 'application/json' || response.body === null) {
      return readRefusal(connection, response, parseJson(await response.text()))
    }
    chunks = response.body[Symbol.asyncIterator]()
  } catch (error) {
    return unanswered(connection, error)
  }
  for (;;) {
    const next = await chunks.next().catch((error: unknown) => unanswered(connection, error))
    if ('exitCode' in next) return next
    if (next.done) return undefined
    await write(next.value)
  }
}

function send(context: Context, connection: Connection, request: ApiRequest): Promise<Response> {
  return context.fetch(address(connection, request), {
    method: request.method,
    headers: headers(connection, request),
    body: request.body === undefined ? null : JSON.stringify(request.body),
    // A token goes to the address it was meant for and to no other.
    redirect: 'manual',
  })
}

function unanswered(connection: Connection, error: unknown): Refusal {
  return { exitCode: EXIT_CODES.unavailable.code, detail: describeFailure(connection, error) }
}

function address(connection: Connection, request: ApiRequest): URL {
  const url = new URL(connection.baseUrl + request.path)
  for (const [name, value] of Object.entries(request.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, String(value))
  }
  return url
}

function headers(connection: Connection, request: ApiRequest): Record<string, string> {
  return {
    accept: 'application/json',
    authorization: `Bearer ${connection.token}`,
    ...(request.body !== undefined && { 'content-type': 'application/json' }),
    ...(request.businessId !== undefined && { 'x-business-id': request.businessId }),
    ...(connection.userEmail !== undefined && { 'x-user-email': connection.userEmail }),
  }
}

function readAnswer(connection: Connection, response: Response, body: unknown): ApiAnswer {
  if (response.ok && isEnvelope(body)) return { envelope: body }
  return { refusal: readRefusal(connection, response, body) }
}

function readRefusal({ baseUrl }: Connection, { ok, status, headers }: Response, body: unknown): Refusal {
  const detail =
    !ok && isErrorBody(body)
      ? body.detail
      : `${baseUrl} answered ${status} with something that Rescind does not send; check the address.`
  const exitCode = ok ? EXIT_CODES.fault.code : exitCodeForStatus(status)
  const retryAfter = Number(headers.get('retry-after') ?? Number.NaN)
  return { exitCode, status, detail, ...(Number.isFinite(retryAfter) && { retryAfterSeconds: retryAfter }) }
}

function describeFailure(connection: Connection, error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  const code = cause instanceof Error && 'code' in cause ? ` (${cause.code})` : ''
  return `No answer from ${connection.baseUrl}${code}; start the service with \`rescind serve\` or name its address with --url.`
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isEnvelope(body: unknown): body is Envelope {
  return isObject(body) && body.success === true && typeof body.message === 'string' && isObject(body.data)
}

function isErrorBody(body: unknown): body is { detail: string | readonly FieldError[] } {
  if (!isObject(body)) return false
  return typeof body.detail === 'string' || (Array.isArray(body.detail) && body.detail.every(isFieldError))
}

function isFieldError(value: unknown): value is FieldError {
  return isObject(value) && Array.isArray(value.loc) && typeof value.msg === 'string'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
