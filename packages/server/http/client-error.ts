import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { ERRORS, type ErrorCode } from '@rescind/protocol'
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
    if (exchange?.request.complete === false) {
      exchange.refusal = code
      exchange.status = ERRORS[code].status
      close(socket, code, exchange.id)
      return
    }

    const last = traffic.lastResponse(socket)
    if (last === undefined || last.writableFinished) refuse()
    else last.once('finish', refuse) // It comes after good requests, which get their answers first.

    function refuse(): void {
      const mayAnswer = last === undefined || (last.shouldKeepAlive && last.req.complete && !traffic.draining)
      if (!mayAnswer) {
        socket.destroySoon()
        return
      }
      const requestId = newRequestId()
      onUnreadable(requestId, code)
      close(socket, code, requestId)
    }
  }
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
