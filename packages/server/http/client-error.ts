import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { ERRORS, type ErrorCode } from '@rescind/protocol'
import { errorBody } from './error-body.ts'
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
    const last = traffic.last(socket)
    if (last !== undefined && !last.answered && !last.request.complete) {
      close(socket, code, last.id)
      last.refusal = code
      last.status = ERRORS[code].status
      traffic.end(last)
    } else if (last === undefined || last.response.writableFinished) refuse()
    else last.response.once('finish', refuse) // It comes after good requests, which get their answers first.

    function refuse(): void {
      const mayAnswer = last === undefined || (last.response.shouldKeepAlive && last.request.complete)
      if (!mayAnswer || traffic.draining) {
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
function rawAnswer(code: ErrorCode, requestId: string): string {
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
