import type { Entry } from '@rescind/protocol'
import type {
  Business,
  Installation,
  Member,
  NewToken,
  Revocation,
  SigningKeyRecord,
} from '../../packages/server/storage/storage.ts'

/** A bulk revocation: every token of the subject below `beforeIdx`. */
export interface BulkRow {
  readonly subject: string
  readonly beforeIdx: number
  readonly revocation: Revocation
}

/** What one transaction has written: seen by itself alone until it is committed. */
export interface Changes {
  installation?: Installation
  readonly entries: Entry[]
  /** The counter, once it was taken from. */
  nextIdx?: number
  readonly tokens: NewToken[]
  readonly revocations: Map<number, Revocation>
  readonly bulkRevocations: BulkRow[]
  readonly lastUsedMs: Map<number, number>
  readonly businesses: Map<string, Business>
  /** By {@link memberRow}; `null` for those removed. */
  readonly members: Map<string, Member | null>
  readonly signingKeys: SigningKeyRecord[]
  readonly keysRetiredMs: Map<string, number>
  auditEvents: number
  /** Statements that wrote something. */
  writes: number
}

export function noChanges(): Changes {
  return {
    entries: [],
    tokens: [],
    revocations: new Map(),
    bulkRevocations: [],
    lastUsedMs: new Map(),
    businesses: new Map(),
    members: new Map(),
    signingKeys: [],
    keysRetiredMs: new Map(),
    auditEvents: 0,
    writes: 0,
  }
}
