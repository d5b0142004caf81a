import { ERRORS, type ErrorCode } from '@rescind/protocol'

const BODIES = new Map(Object.entries(ERRORS).map(([code, { detail }]) => [code, JSON.stringify({ detail })]))

/** The body of an error: `{"detail": "<sentence>"}`. */
export function errorBody(code: ErrorCode): string {
  return BODIES.get(code) ?? ''
}
