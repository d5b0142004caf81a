/**
 * True when a body of this media type is read as JSON: `application/json` or `application/*+json`, in any case, with
 * any parameters. Without a readable type the body is text.
 */
export function isJsonType(contentType: string | undefined): boolean {
  if (contentType === undefined) return false
  if (contentType === 'application/json') return true
  const essence = (contentType.split(';', 1)[0] ?? '').trim().toLowerCase()
  const [type, subtype, ...rest] = essence.split('/')
  return type === 'application' && rest.length === 0 && (subtype === 'json' || subtype?.endsWith('+json') === true)
}
