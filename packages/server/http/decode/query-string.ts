/** Query parameters by name; every value is a string. No prototype, so no name is special. */
export type QueryParameters = Readonly<Record<string, string>>

/** Those of a URL without a query. */
const NO_PARAMETERS: QueryParameters = Object.freeze(Object.create(null))

/**
 * Reads the part of a URL after `?` as HTML forms write it. The last value of a repeated name counts, and escapes that
 * are not UTF-8 become replacement characters. Never throws.
 */
export function parseQueryString(text: string): QueryParameters {
  if (text === '') return NO_PARAMETERS
  const parameters: Record<string, string> = Object.create(null)
  for (const [name, value] of new URLSearchParams(text)) parameters[name] = value
  return parameters
}
