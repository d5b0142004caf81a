import { ERRORS, type ErrorCode } from '@rescind/protocol'
import type { Refusal } from './refusal.ts'

/** What a refused client is sent. */
export interface Answer {
  readonly status: Refusal['status']
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const UNDECIDED = answer(503, 'may_not_decide', { 'retry-after': '1' })
const OTHER_BUSINESS = answer(403, 'other_business')
const SCOPE_MISSING = answer(403, 'scope_missing')
const NO_CREDENTIAL = answer(401, 'not_authenticated', { 'www-authenticate': 'Bearer realm="rescind"' })
const INVALID_TOKEN = answer(401, 'not_authenticated', {
  'www-authenticate': 'Bearer realm="rescind", error="invalid_token"',
})

/** The answer that the service itself gives: one 401 whatever the reason, and one challenge (RFC 6750 section 3). */
export function answerTo({ status, reason }: Refusal): Answer {
  if (status === 503) return UNDECIDED
  if (status === 403) return reason === 'wrong_business' ? OTHER_BUSINESS : SCOPE_MISSING
  return reason === 'no_credential' ? NO_CREDENTIAL : INVALID_TOKEN
}

function answer(status: Answer['status'], code: ErrorCode, more?: Answer['headers']): Answer {
  const body = JSON.stringify({ detail: ERRORS[code].detail })
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store', ...more }
  return Object.freeze({ status, headers: Object.freeze(headers), body })
}
