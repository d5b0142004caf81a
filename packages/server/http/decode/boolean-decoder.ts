import type { ValidationError } from './validation-error.ts'

const WORDS: ReadonlyMap<string, boolean> = new Map([
  ...['1', 'on', 't', 'true', 'y', 'yes'].map((word) => [word, true] as const),
  ...['0', 'off', 'f', 'false', 'n', 'no'].map((word) => [word, false] as const),
])
const LONGEST_WORD = 5

/** Booleans from JSON booleans, 0 and 1, and the words that pydantic knows, in any case but without spaces. */
export function booleanDecoder(input: unknown, errors: ValidationError[]): boolean | undefined {
  if (typeof input === 'boolean') return input
  if (input === 0 || input === 1) return input === 1
  if (typeof input === 'string' || Number.isSafeInteger(input)) {
    const value = typeof input === 'string' && input.length <= LONGEST_WORD ? WORDS.get(input.toLowerCase()) : undefined
    if (value !== undefined) return value
    const msg = 'Input should be a valid boolean, unable to interpret input'
    errors.push({ type: 'bool_parsing', loc: [], msg, input })
    return undefined
  }
  errors.push({ type: 'bool_type', loc: [], msg: 'Input should be a valid boolean', input })
  return undefined
}
