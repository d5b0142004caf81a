import { Unavailable } from '@rescind/protocol'
import { DatabaseError } from 'pg'
import { UnexpectedResult } from '../sql/statement.ts'

/**
 * Classes of SQLSTATE that blame the statement and not the server: data, integrity, syntax, and what the triggers
 * refuse (https://www.postgresql.org/docs/current/errcodes-appendix.html).
 */
const STATEMENT_FAULTS = new Set(['22', '23', '42', 'P0'])

/** Another transaction was in the way: serialization failure, deadlock. Nothing was done; it can be tried again. */
const RETRYABLE = new Set(['40001', '40P01'])

/** True for everything but a statement that was refused: the server, the way to it, a time limit. */
export function isServerFault(error: unknown): boolean {
  if (error instanceof UnexpectedResult) return false
  return !(error instanceof DatabaseError) || !STATEMENT_FAULTS.has(error.code?.slice(0, 2) ?? '')
}

export function isRetryable(error: unknown): boolean {
  return error instanceof DatabaseError && RETRYABLE.has(error.code ?? '')
}

/** What to throw for `cause`: a statement that was refused as it is, anything else as {@link Unavailable}. */
export function unavailableOr(cause: unknown): unknown {
  return isServerFault(cause) && !(cause instanceof Unavailable)
    ? new Unavailable('storage_unavailable', { cause })
    : cause
}
