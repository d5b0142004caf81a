import { ERRORS } from '@rescind/protocol'
import type { Logger } from 'pino'
import type { Exchange } from './exchange.ts'

/** Writes the one line of a request. It names ids only: never the URL, a header or a body. */
export function logExchange(logger: Logger, exchange: Exchange, nowMs: number): void {
  const { id, request, route, status, tokenId, businessId, refusal, reason, clientGone, fault } = exchange
  const line: Record<string, unknown> = { requestId: id, method: request.method, route, status }
  line.ms = Math.round((nowMs - exchange.startedMs) * 1000) / 1000
  if (tokenId !== undefined) line.tokenId = tokenId
  if (businessId !== undefined) line.businessId = businessId
  if (clientGone) line.clientGone = true
  if (refusal !== undefined) line.error = refusal
  if (reason !== undefined) line.reason = reason
  if (fault !== undefined) line.err = fault
  const message = refusal === undefined ? 'request' : ERRORS[refusal].log
  if (status !== undefined && status >= 500) logger.error(line, message)
  else logger.info(line, message)
}
