import type {
  AuditEventTable,
  BulkRevocationTable,
  BusinessTable,
  InstallationTable,
  MemberTable,
  NodeTable,
  RevocationLogTable,
  Schema,
  SigningKeyTable,
  TokenTable,
} from './schema.ts'
import type { Bindable } from './statement.ts'

/** What a column holds when it is not null. */
export type ColumnKind = 'integer' | 'text' | 'bytes'

/** The values of one row, in the order of the columns. */
export type MovedRow = readonly Bindable[]

/** A table whose rows go from one database to another as they are. */
export interface MovedTable {
  readonly name: Exclude<keyof Schema, 'token_status'>
  readonly columns: Readonly<Record<string, ColumnKind>>
  /** Makes the order of the rows the same in every database; text compares by bytes. */
  readonly orderBy: readonly string[]
  /**
   * Columns that the guards of the database do not take of a new row: it is born without them and changed at once, where
   * they say anything. The first column finds the row.
   */
  readonly later: readonly string[]
}

type Columns<Table> = Readonly<Record<keyof Table, ColumnKind>>

const installation: Columns<InstallationTable> = {
  id: 'integer',
  issuer: 'text',
  epoch: 'text',
  token_prefix: 'text',
  operator_user_id: 'text',
  operator_email: 'text',
  created_at_ms: 'integer',
}

const businesses: Columns<BusinessTable> = { id: 'text', name: 'text', created_at_ms: 'integer' }

const members: Columns<MemberTable> = {
  business_id: 'text',
  user_id: 'text',
  email: 'text',
  role: 'text',
  created_at_ms: 'integer',
}

/** Their order is what their ordinals are for; each database counts them itself. */
const signingKeys: Columns<Omit<SigningKeyTable, 'ordinal'>> = {
  kid: 'text',
  jwk: 'text',
  sealed_private_key: 'bytes',
  created_at_ms: 'integer',
  retired_at_ms: 'integer',
}

const revocationLog: Columns<RevocationLogTable> = {
  seq: 'integer',
  kind: 'text',
  body: 'text',
  at_ms: 'integer',
  prev_hash: 'text',
  hash: 'text',
}

const bulkRevocations: Columns<BulkRevocationTable> = {
  seq: 'integer',
  kind: 'text',
  business_id: 'text',
  user_id: 'text',
  kid: 'text',
  before_idx: 'integer',
  revoked_at_ms: 'integer',
  revoked_by: 'text',
  revocation_reason: 'text',
}

const tokens: Columns<TokenTable> = {
  idx: 'integer',
  id: 'text',
  jti: 'text',
  business_id: 'text',
  user_id: 'text',
  kid: 'text',
  name: 'text',
  description: 'text',
  scopes: 'text',
  created_at_ms: 'integer',
  expires_at_ms: 'integer',
  last_used_at_ms: 'integer',
  issued_by: 'text',
  revoked_seq: 'integer',
  revoked_at_ms: 'integer',
  revoked_by: 'text',
  revocation_reason: 'text',
}

const auditEvents: Columns<AuditEventTable> = {
  id: 'text',
  at_ms: 'integer',
  action: 'text',
  request_id: 'text',
  token_id: 'text',
  user_id: 'text',
  email: 'text',
  claimed_email: 'text',
  business_id: 'text',
  subject_id: 'text',
}

const nodes: Columns<NodeTable> = {
  node_id: 'text',
  lease_ms: 'integer',
  joined_at_ms: 'integer',
  renewals: 'integer',
  in_force_seq: 'integer',
  grants_since_ms: 'integer',
  left_at_ms: 'integer',
}

/** Every table but the two of one row that move by themselves: the head of the log and the index counter. What others refer to comes first. */
export const MOVED_TABLES = [
  { name: 'installation', columns: installation, orderBy: ['id'], later: [] },
  { name: 'businesses', columns: businesses, orderBy: ['id'], later: [] },
  { name: 'members', columns: members, orderBy: ['business_id', 'user_id'], later: [] },
  { name: 'signing_keys', columns: signingKeys, orderBy: ['ordinal'], later: [] },
  { name: 'revocation_log', columns: revocationLog, orderBy: ['seq'], later: [] },
  { name: 'bulk_revocations', columns: bulkRevocations, orderBy: ['seq'], later: [] },
  {
    name: 'tokens',
    columns: tokens,
    orderBy: ['idx'],
    later: ['revoked_seq', 'revoked_at_ms', 'revoked_by', 'revocation_reason'],
  },
  { name: 'audit_events', columns: auditEvents, orderBy: ['id'], later: [] },
  { name: 'nodes', columns: nodes, orderBy: ['node_id'], later: ['renewals', 'in_force_seq', 'left_at_ms'] },
] as const satisfies readonly MovedTable[]

export type MovedTableName = (typeof MOVED_TABLES)[number]['name']

/** A row with its values by the names of their columns. */
export type NamedRow = Readonly<Record<string, Bindable>>

export function namedRow({ columns }: MovedTable, row: MovedRow): NamedRow {
  return Object.fromEntries(Object.keys(columns).map((column, at) => [column, row[at] ?? null]))
}

/** Those of the rows that say anything in the columns that come later. */
export function rowsWithLater({ columns, later }: MovedTable, rows: readonly MovedRow[]): readonly MovedRow[] {
  const names = Object.keys(columns)
  const places = later.map((column) => names.indexOf(column))
  return rows.filter((row) => places.some((at) => (row[at] ?? 0) !== 0))
}
