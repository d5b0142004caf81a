import type { IncomingMessage } from 'node:http'
import { authorizationValues } from '@rescind/protocol'

/**
 * The values of all `Authorization` headers of a request that came through Node. The one that the application sees, which
 * may have put it there itself, unless the client sent several: Node shows the application the first of them only.
 */
export function nodeAuthorization(request: Pick<IncomingMessage, 'headers' | 'rawHeaders'>): readonly string[] {
  const sent = authorizationValues(request.rawHeaders)
  if (sent.length > 1) return sent
  const { authorization } = request.headers
  return authorization === undefined ? [] : [authorization]
}
