import type { IncomingMessage } from 'node:http'

/** No dots: a token cannot pass for a request id. */
const REQUEST_ID = /^[A-Za-z0-9_-]{1,64}$/

/** The client's own `x-request-id` when it is harmless to log, otherwise a new one. */
export function requestId(request: IncomingMessage, newId: () => string): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && given.length <= 64 && REQUEST_ID.test(given) ? given : newId()
}
