const text = (description: string) => ({ description, schema: { type: 'string' } })

const BY_STATUS: Readonly<Record<number, object>> = {
  401: { 'WWW-Authenticate': text('The challenge (RFC 6750 section 3).') },
  503: { 'Retry-After': text('Seconds after which to try again.') },
}

/**
 * How what an answer confirms came to be in force.
 *
 * @param required whether every such answer has them
 */
export function inForceHeaders(required: boolean): object {
  const count = (description: string) => ({ description, required, schema: { type: 'integer', minimum: 0 } })
  return {
    'Rescind-Applied': count('Attached verifiers, and other nodes, that had applied what this confirms.'),
    'Rescind-Waited-Out': count(
      'Verifiers and nodes whose leases had to end, or nodes that left, without having said that they had applied it.',
    ),
    'Server-Timing': {
      ...text('Milliseconds until this was durable (`commit`), and from then on until it was in force (`enforce`).'),
      required,
    },
  }
}

/** The headers by which a client acts on an answer of this status, as a part of its description. */
export function responseHeaders(status: number): { readonly headers?: object } {
  const headers = BY_STATUS[status]
  return headers === undefined ? {} : { headers }
}
