import type { ErrorCode } from '@rescind/protocol'
import type { Route } from '../route.ts'
import type { Decoder } from './decoder.ts'
import { type BodyReading, readJsonBody } from './json-body.ts'
import type { QueryParameters } from './query-string.ts'
import type { BodyBytes } from './read-body.ts'
import { schemaDecoder } from './schema-decoder.ts'
import type { ValidationError } from './validation-error.ts'

/** The typed parts of a request, or why it has none. */
type DecodedCall =
  | { readonly query: unknown; readonly body: unknown }
  | { readonly errors: readonly ValidationError[] }
  | { readonly refused: ErrorCode; readonly reason?: string }

/** Decodes the query and the body of requests to one route; their errors are told together, query first. */
type CallDecoder = (
  query: QueryParameters,
  /** `null` for a route that has none. */
  body: BodyBytes | Promise<BodyBytes> | null,
  contentType: string | undefined,
) => DecodedCall | Promise<DecodedCall>

/** Compiles the decoder of a route. */
export function callDecoder(route: Route): CallDecoder {
  const decodeQuery = route.query === undefined ? ignore : queryDecoder(schemaDecoder(route.query))
  if (route.body === undefined) {
    return (query) => {
      const errors: ValidationError[] = []
      const decoded = decodeQuery(query, errors)
      return errors.length === 0 ? { query: decoded, body: null } : { errors }
    }
  }

  const decodeBody = bodyDecoder(schemaDecoder(route.body), route.bodyOptional === true)
  return (query, body, contentType) =>
    body instanceof Promise ? body.then((bytes) => decode(bytes, contentType, query)) : decode(body, contentType, query)

  function decode(bytes: BodyBytes | null, contentType: string | undefined, query: QueryParameters): DecodedCall {
    if (bytes === 'too_large') return { refused: 'body_too_large' }
    if (bytes === 'cut_short') return { refused: 'bad_request', reason: 'body cut short' }
    const reading: BodyReading = bytes === null ? { value: null } : readJsonBody(bytes, contentType)
    if ('refused' in reading) return reading
    if ('invalid' in reading) return { errors: [reading.invalid] }

    const errors: ValidationError[] = []
    const decoded = { query: decodeQuery(query, errors), body: decodeBody(reading.value, errors) }
    return errors.length === 0 ? decoded : { errors }
  }
}

function ignore(): null {
  return null
}

/** Unlike a missing field of a body, a missing parameter has no input to show. */
function queryDecoder(decode: Decoder): Decoder {
  return (query, errors) => {
    const found: ValidationError[] = []
    const value = decode(query, found)
    for (const error of found) {
      error.loc.unshift('query')
      errors.push(error.type === 'missing' ? { ...error, input: null } : error)
    }
    return value
  }
}

function bodyDecoder(decode: Decoder, optional: boolean): Decoder {
  return (body, errors) => {
    if (body === null && optional) return null
    if (body === null) {
      errors.push({ type: 'missing', loc: ['body'], msg: 'Field required', input: null })
      return undefined
    }
    const before = errors.length
    const value = decode(body, errors)
    for (let index = before; index < errors.length; index += 1) errors[index]?.loc.unshift('body')
    return value
  }
}
