import type { Decoder } from './decoder.ts'
import { unicodeError } from './unicode-error.ts'

/** One of a closed list of strings, without coercion. */
export function literalDecoder(literals: readonly string[]): Decoder {
  const allowed: ReadonlySet<unknown> = new Set(literals)
  const expected = enumeration(literals)
  return (input, errors) => {
    if (allowed.has(input)) return input
    const error = typeof input === 'string' ? unicodeError(input) : undefined
    errors.push(
      error ?? { type: 'literal_error', loc: [], msg: `Input should be ${expected}`, input, ctx: { expected } },
    )
    return undefined
  }
}

/** `'a', 'b' or 'c'` */
function enumeration(literals: readonly string[]): string {
  const quoted = literals.map((literal) => `'${literal}'`)
  const last = quoted.pop() ?? ''
  return quoted.length === 0 ? last : `${quoted.join(', ')} or ${last}`
}
