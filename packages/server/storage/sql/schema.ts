import type { Generated } from 'kysely'
import type { AuditAction, Role } from '../records.ts'

/** The tables as every SQL backend has them. Times in milliseconds since the epoch; JSON and lists are text. */
export interface Schema {
  installation: InstallationTable
  businesses: BusinessTable
  members: MemberTable
  signing_keys: SigningKeyTable
  idx_counter: IdxCounterTable
  tokens: TokenTable
  /** A view: `tokens` with the revocation that is in effect, a bulk one included. */
  token_status: TokenTable
  revocation_log: RevocationLogTable
  log_head: LogHeadTable
  bulk_revocations: BulkRevocationTable
  audit_events: AuditEventTable
  nodes: NodeTable
}

/** At most one row. */
export interface InstallationTable {
  id: 1
  issuer: string
  epoch: string
  token_prefix: string
  operator_user_id: string
  operator_email: string
  created_at_ms: number
}

export interface BusinessTable {
  id: string
  name: string
  created_at_ms: number
}

export interface MemberTable {
  business_id: string
  user_id: string
  email: string
  role: Role
  created_at_ms: number
}

export interface SigningKeyTable {
  /** Order of insertion. */
  ordinal: Generated<number>
  kid: string
  /** The public JWK as JSON. */
  jwk: string
  sealed_private_key: Uint8Array
  created_at_ms: number
  retired_at_ms: number | null
}

/** One row. */
interface IdxCounterTable {
  id: 1
  next_idx: number
}

export interface TokenTable {
  idx: number
  id: string
  jti: string
  business_id: string | null
  user_id: string
  kid: string
  name: string
  description: string | null
  /** Separated by spaces, as in the `scope` claim. */
  scopes: string
  created_at_ms: number
  expires_at_ms: number
  last_used_at_ms: number | null
  issued_by: string | null
  revoked_seq: number | null
  revoked_at_ms: number | null
  revoked_by: string | null
  revocation_reason: string | null
}

export interface RevocationLogTable {
  seq: number
  kind: string
  /** The canonical text that is hashed. */
  body: string
  at_ms: number
  prev_hash: string
  hash: string
}

/** One row, from the moment the installation exists. Inserting an entry moves it. */
export interface LogHeadTable {
  id: 1
  epoch: string
  seq: number
  hash: string
}

export interface BulkRevocationTable {
  seq: number
  kind: 'business' | 'member' | 'key'
  business_id: string | null
  user_id: string | null
  kid: string | null
  before_idx: number
  revoked_at_ms: number
  revoked_by: string | null
  revocation_reason: string | null
}

export interface AuditEventTable {
  id: string
  at_ms: number
  action: AuditAction
  request_id: string
  token_id: string | null
  user_id: string
  email: string
  claimed_email: string | null
  business_id: string | null
  subject_id: string
}

/** Stays after the node has left, so that no other takes its id. */
export interface NodeTable {
  node_id: string
  lease_ms: number
  joined_at_ms: number
  renewals: Generated<number>
  in_force_seq: Generated<number>
  /** When it first granted a lease. */
  grants_since_ms: number | null
  /** Absent while the node is a member. */
  left_at_ms: number | null
}
