import { ERRORS, type ErrorCode } from '@rescind/protocol'
import type { Exchange } from './exchange.ts'
import type { Traffic } from './traffic.ts'

/** Headers of an answer, by lower-case name. */
export type ResponseHeaders = Readonly<Record<string, string>>

/** Seconds after which a client may try again. */
const RETRY_AFTER_SEC = '1'

const BODIES = new Map(Object.entries(ERRORS).map(([code, { detail }]) => [code, JSON.stringify({ detail })]))

/** Answers with a JSON document. Does nothing when the exchange has been answered. */
export function respond(
  traffic: Traffic,
  exchange: Exchange,
  status: number,
  body: string,
  more?: ResponseHeaders,
): void {
  const { response } = exchange
  if (exchange.status !== undefined || response.headersSent) return
  exchange.status = status
  if (exchange.clientGone === true) {
    traffic.end(exchange)
    return
  }
  const headers: Record<string, string | number> = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-request-id': exchange.id,
  }
  if (more !== undefined) Object.assign(headers, more)
  if (traffic.draining) headers.connection = 'close'
  traffic.outbox.add(() => response.writeHead(status, headers).end(body))
  traffic.end(exchange)
}

/** Answers with a row of the error table. */
export function refuse(traffic: Traffic, exchange: Exchange, code: ErrorCode, more?: ResponseHeaders): void {
  exchange.refusal ??= code
  const { status } = ERRORS[code]
  const headers = status === 503 ? { 'retry-after': RETRY_AFTER_SEC, ...more } : more
  respond(traffic, exchange, status, errorBody(code), headers)
}

/** The body of an error: `{"detail": "<sentence>"}`. */
export function errorBody(code: ErrorCode): string {
  return BODIES.get(code) ?? ''
}
