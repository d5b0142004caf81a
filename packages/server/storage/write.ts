import type { ErrorCode } from '@rescind/protocol'
import type { AuditAction } from './records.ts'
import type { Transaction } from './storage.ts'

/** Records what a unit did, in the same transaction, under the name of whoever it acts for. */
export type Audit = (action: AuditAction, subject: { businessId: string | null; id: string }) => Promise<void>

/** A change that was not made, and which answer says so. */
export interface Refused {
  readonly refused: ErrorCode
}

/**
 * Runs a unit in a transaction on behalf of somebody, whose permission to act is checked again inside it: a token that
 * died while its request was running writes nothing.
 */
export type Write = <T>(unit: (tx: Transaction, audit: Audit) => Promise<T>) => Promise<T | Refused>
