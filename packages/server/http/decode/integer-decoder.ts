import type { Decoder } from './decoder.ts'
import type { JsonSchema } from './json-schema.ts'
import type { ValidationError } from './validation-error.ts'

/** Longest integer, in digits without leading zeros, that text may spell. Python's own limit. */
const MAX_DIGITS = 4300
const INTEGER = /^([+-]?)(\d+(?:_\d+)*)(?:\.0+)?$/
const WHITE_SPACE = /\p{White_Space}/u

/** Integers from JSON numbers without a fraction, booleans and strings such as `" 30 "`, `"+5"`, `"1_000"`, `"30.0"`. */
export function integerDecoder(schema: JsonSchema): Decoder {
  const { minimum: ge = Number.NEGATIVE_INFINITY, maximum: le = Number.POSITIVE_INFINITY } = schema
  return (input, errors) => {
    const value = toInteger(input)
    if (typeof value !== 'number') {
      errors.push({ ...value, loc: [], input })
      return undefined
    }
    const error = boundsError(value, ge, le)
    if (error !== undefined) {
      errors.push({ ...error, loc: [], input })
      return undefined
    }
    return value
  }
}

type Fault = Pick<ValidationError, 'type' | 'msg' | 'ctx'>

const NOT_AN_INTEGER: Fault = { type: 'int_type', msg: 'Input should be a valid integer' }
const NOT_FINITE: Fault = { type: 'finite_number', msg: 'Input should be a finite number' }
const FRACTION: Fault = {
  type: 'int_from_float',
  msg: 'Input should be a valid integer, got a number with a fractional part',
}
const UNREADABLE: Fault = {
  type: 'int_parsing',
  msg: 'Input should be a valid integer, unable to parse string as an integer',
}
const TOO_BIG: Fault = {
  type: 'int_parsing_size',
  msg: 'Unable to parse input string as an integer, exceeded maximum size',
}

function toInteger(input: unknown): number | Fault {
  if (typeof input === 'number') {
    if (!Number.isFinite(input)) return NOT_FINITE
    return Number.isInteger(input) ? input + 0 : FRACTION
  }
  if (typeof input === 'boolean') return input ? 1 : 0
  return typeof input === 'string' ? parseInteger(input) : NOT_AN_INTEGER
}

function parseInteger(text: string): number | Fault {
  const match = INTEGER.exec(trim(text))
  if (match === null) return UNREADABLE
  const [, sign, digits = ''] = match
  const significant = digits.replaceAll('_', '').replace(/^0+/, '')
  if (significant.length > MAX_DIGITS) return TOO_BIG
  const magnitude = Number(significant)
  return sign === '-' && magnitude !== 0 ? -magnitude : magnitude
}

/** Without the white space that Unicode names, which is not quite what `String.prototype.trim` removes. */
function trim(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && WHITE_SPACE.test(text.charAt(start))) start += 1
  while (end > start && WHITE_SPACE.test(text.charAt(end - 1))) end -= 1
  return text.slice(start, end)
}

function boundsError(value: number, ge: number, le: number): Fault | undefined {
  if (value > le) {
    return { type: 'less_than_equal', msg: `Input should be less than or equal to ${le}`, ctx: { le } }
  }
  if (value < ge) {
    return { type: 'greater_than_equal', msg: `Input should be greater than or equal to ${ge}`, ctx: { ge } }
  }
  return Number.isSafeInteger(value) ? undefined : TOO_BIG
}
