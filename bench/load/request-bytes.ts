export interface RequestParts {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: string
  readonly token?: string
  /** Sent as `x-business-id`. */
  readonly businessId?: string
  /** Sent as `x-user-email`. */
  readonly userEmail?: string
  /** Sent as JSON. */
  readonly json?: unknown
}

/** A whole HTTP/1.1 request. It names no port, so that different servers are sent the same bytes. */
export function requestBytes({ method, path, token, businessId, userEmail, json }: RequestParts): Buffer {
  const lines = [`${method} ${path} HTTP/1.1`, 'host: 127.0.0.1']
  if (token !== undefined) lines.push(`authorization: Bearer ${token}`)
  if (businessId !== undefined) lines.push(`x-business-id: ${businessId}`)
  if (userEmail !== undefined) lines.push(`x-user-email: ${userEmail}`)
  const body = json === undefined ? '' : JSON.stringify(json)
  if (json !== undefined) lines.push('content-type: application/json', `content-length: ${Buffer.byteLength(body)}`)
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`)
}
