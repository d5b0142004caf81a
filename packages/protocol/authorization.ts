const BEARER = /^bearer +(?=[^ ])/i

/** The token of an `Authorization` header (RFC 6750 section 2.1), or `undefined` for another scheme. */
export function bearerToken(header: string): string | undefined {
  const scheme = BEARER.exec(header)
  return scheme === null ? undefined : header.slice(scheme[0].length)
}

/**
 * The values of every `Authorization` header as they came. Node keeps only the first of several, and whoever stands in
 * front of the service may have looked at another one.
 *
 * @param rawHeaders Names and values in turn
 */
export function authorizationValues(rawHeaders: readonly string[]): readonly string[] {
  const values: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]
    if (name?.length === 13 && name.toLowerCase() === 'authorization') values.push(rawHeaders[index + 1] ?? '')
  }
  return values
}
