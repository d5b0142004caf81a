import { isUtf8 } from 'node:buffer'
import type { ErrorCode } from '@rescind/protocol'
import { isJsonType } from './content-type.ts'
import { diagnoseJson } from './json-diagnosis.ts'
import type { ValidationError } from './validation-error.ts'

/** Deepest nesting of arrays and objects that a body may have. */
const MAX_JSON_DEPTH = 64

/** What a body says: a value (`null` when it is empty), or why it says nothing. */
export type BodyReading =
  | { readonly value: unknown }
  | { readonly invalid: ValidationError }
  | { readonly refused: ErrorCode }

const ABSENT: BodyReading = { value: null }
const NOT_UTF8: BodyReading = { refused: 'body_unreadable' }
const BYTE_ORDER_MARK = '\ufeff'
const REPLACEMENT_CHARACTER = '\ufffd'

/**
 * Reads a body the way FastAPI does: JSON when its type says so, otherwise the text itself, which then fails validation.
 * `NaN` and `Infinity` are read as numbers, so that the field they stand in can be named. Never throws.
 */
export function readJsonBody(bytes: Buffer, contentType: string | undefined): BodyReading {
  if (bytes.length === 0) return ABSENT
  const text = bytes.toString('utf8')
  if (!isJsonType(contentType)) return { value: text }
  if (text.includes(REPLACEMENT_CHARACTER) && !isUtf8(bytes)) return NOT_UTF8
  return parse(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text)
}

function parse(text: string): BodyReading {
  try {
    const value: unknown = JSON.parse(text)
    if (text.length <= 2 * MAX_JSON_DEPTH || isAtMost(MAX_JSON_DEPTH, value)) return { value }
  } catch {
    // Not JSON, or JSON with NaN in it: the diagnosis tells.
  }
  const diagnosis = diagnoseJson(text, MAX_JSON_DEPTH)
  if ('value' in diagnosis) return diagnosis
  return { invalid: jsonInvalid(diagnosis.problem, codePointIndex(text, diagnosis.at)) }
}

function isAtMost(depth: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (depth === 0) return false
  return Object.values(value).every((part) => isAtMost(depth - 1, part))
}

function jsonInvalid(error: string, position: number): ValidationError {
  return { type: 'json_invalid', loc: ['body', position], msg: 'JSON decode error', input: {}, ctx: { error } }
}

function codePointIndex(text: string, index: number): number {
  let count = 0
  for (const _ of text.slice(0, index)) count += 1
  return count
}
