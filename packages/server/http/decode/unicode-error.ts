import type { ValidationError } from './validation-error.ts'

/** The error of a string with a lone surrogate. */
export function unicodeError(input: string): ValidationError | undefined {
  if (input.isWellFormed()) return undefined
  const msg = 'Input should be a valid string, unable to parse raw data as a unicode string'
  return { type: 'string_unicode', loc: [], msg, input }
}
