const text = (description: string) => ({ description, schema: { type: 'string' } })

const BY_STATUS: Readonly<Record<number, object>> = {
  401: { 'WWW-Authenticate': text('The challenge (RFC 6750 section 3).') },
  503: { 'Retry-After': text('Seconds after which to try again.') },
}

/** The headers by which a client acts on an answer of this status, as a part of its description. */
export function responseHeaders(status: number): { readonly headers?: object } {
  const headers = BY_STATUS[status]
  return headers === undefined ? {} : { headers }
}
