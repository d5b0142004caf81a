import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { ERRORS, type ErrorCode } from '@rescind/protocol'
import type { Exchange } from './exchange.ts'
import { errorBody } from './respond.ts'
import type { Traffic } from './traffic.ts'

interface Deps {
  readonly traffic: Traffic
  readonly newRequestId: () => string
  /** Called when something arrived that never became a request. */
  readonly onUnreadable: (requestId: string, code: ErrorCode) => void
}

/** Answers bytes that Node could not read as HTTP, or that came too slowly, and closes the connection. */
export function answerClientErrors({ traffic, newRequestId, onUnreadable }: Deps) {
  return (error: Error & { code?: string }, socket: Socket): void => {
    if (!socket.writable || socket.bytesRead === 0 || error.code === 'ECONNRESET') {
      socket.destroy()
      return
    }
    const code = errorCode(error.code)
    const exchange = traffic.on(socket)
    if (exchange === undefined) {
      const requestId = newRequestId()
      onUnreadable(requestId, code)
      close(socket, code, requestId)
    } else if (exchange.request.complete) {
      // What cannot be read comes after a good request, which gets its answer first.
      exchange.response.once('finish', () => close(socket, code, newRequestId()))
    } else {
      cutShort(exchange, socket, code)
    }
  }
}

function cutShort(exchange: Exchange, socket: Socket, code: ErrorCode): void {
  if (exchange.status !== undefined) {
    socket.destroy()
    return
  }
  exchange.refusal = code
  exchange.status = ERRORS[code].status
  close(socket, code, exchange.id)
}

function errorCode(cause: string | undefined): ErrorCode {
  if (cause === 'HPE_HEADER_OVERFLOW') return 'headers_too_large'
  return cause === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'request_timeout' : 'bad_request'
}

function close(socket: Socket, code: ErrorCode, requestId: string): void {
  if (socket.writable) socket.write(rawAnswer(code, requestId))
  socket.destroySoon()
}

/** A whole HTTP/1.1 response, for connections without a usable request. */
export function rawAnswer(code: ErrorCode, requestId: string): string {
  const { status } = ERRORS[code]
  const body = errorBody(code)
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    `x-request-id: ${requestId}`,
    'connection: close',
    '',
    body,
  ].join('\r\n')
}
