import { redactTokens } from '@rescind/protocol'
import type { Decoder } from './decoder.ts'
import type { JsonSchema } from './json-schema.ts'
import { unicodeError } from './unicode-error.ts'
import type { ValidationError } from './validation-error.ts'

/** Strings, measured in code points. Text that is not Unicode (a lone surrogate) is refused: no store keeps it. */
export function stringDecoder(schema: JsonSchema): Decoder {
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY } = schema
  const pattern = schema.pattern === undefined ? undefined : new RegExp(schema.pattern, 'u')
  const freeText = schema['x-free-text'] === true

  return (input, errors) => {
    if (typeof input !== 'string') {
      errors.push({ type: 'string_type', loc: [], msg: 'Input should be a valid string', input })
      return undefined
    }
    const error = unicodeError(input) ?? lengthError(input, minLength, maxLength)
    if (error !== undefined) {
      errors.push(error)
      return undefined
    }
    if (pattern?.test(input) === false) {
      const msg = `String should match pattern '${pattern.source}'`
      errors.push({ type: 'string_pattern_mismatch', loc: [], msg, input, ctx: { pattern: pattern.source } })
      return undefined
    }
    return freeText ? redactTokens(input) : input
  }
}

function lengthError(input: string, minLength: number, maxLength: number): ValidationError | undefined {
  // A code point is one or two UTF-16 units: most texts need no counting.
  if (input.length <= maxLength && input.length >= 2 * minLength) return undefined
  const length = codePointLength(input, maxLength)
  if (length < minLength) {
    const msg = `String should have at least ${characters(minLength)}`
    return { type: 'string_too_short', loc: [], msg, input, ctx: { min_length: minLength } }
  }
  if (length > maxLength) {
    const msg = `String should have at most ${characters(maxLength)}`
    return { type: 'string_too_long', loc: [], msg, input, ctx: { max_length: maxLength } }
  }
  return undefined
}

/** Code points in `text`; what surely fits in `enough` is not counted one by one. */
function codePointLength(text: string, enough: number): number {
  if (text.length <= 1 || text.length > 2 * enough) return text.length
  let length = 0
  for (const _ of text) length += 1
  return length
}

function characters(count: number): string {
  return count === 1 ? '1 character' : `${count} characters`
}
