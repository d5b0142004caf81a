import type { PublicJwk } from '@rescind/protocol'

/** What is stored, as the rest of the service sees it: rows already parsed, ids lower-case UUIDs, times in milliseconds since the epoch. */

/** Written once, at the first start. */
export interface Installation {
  readonly issuer: string
  /** Names the revocation log at its beginning; the head says which epoch it is in now. */
  readonly epoch: string
  readonly tokenPrefix: string
  readonly operatorUserId: string
  readonly operatorEmail: string
  readonly createdAtMs: number
}

export type Role = 'owner' | 'admin' | 'member' | 'viewer'

export interface Business {
  readonly id: string
  readonly name: string
  readonly createdAtMs: number
}

export interface Member {
  readonly businessId: string
  readonly userId: string
  /** Lower case, unique in its business. */
  readonly email: string
  readonly role: Role
  readonly createdAtMs: number
}

/** The first revocation that covers a token: its own, or a bulk entry's. Never changes; reason and email may be erased. */
export interface Revocation {
  readonly seq: number
  readonly atMs: number
  readonly by: string | null
  readonly reason: string | null
}

export interface TokenRecord {
  /** UUID v7. */
  readonly id: string
  /** UUID v4, as in the token. */
  readonly jti: string
  readonly idx: number
  /** Absent for an operator's own token. */
  readonly businessId: string | null
  readonly userId: string
  readonly kid: string
  readonly name: string
  readonly description: string | null
  readonly scopes: readonly string[]
  readonly createdAtMs: number
  readonly expiresAtMs: number
  readonly lastUsedAtMs: number | null
  /** Id of the token that issued this one; `null` for those made offline. */
  readonly issuedBy: string | null
  readonly revocation: Revocation | null
}

/** A token at birth. */
export type NewToken = Omit<TokenRecord, 'lastUsedAtMs' | 'revocation'>

/** What the API checks at each use of a token, beyond the token itself. */
export interface Standing {
  readonly tokenId: string
  readonly jti: string
  readonly businessId: string | null
  readonly userId: string
  readonly revoked: boolean
  /** Current role of the holder; `null` for an operator's token, and when the member is gone. */
  readonly role: Role | null
  /** Current email of the holder; `null` when the member is gone. */
  readonly email: string | null
}

/** What a bulk revocation ends. */
export type BulkTarget =
  | { readonly kind: 'business'; readonly businessId: string }
  | { readonly kind: 'member'; readonly businessId: string; readonly userId: string }
  | { readonly kind: 'key'; readonly kid: string }

export interface SigningKeyRecord {
  readonly jwk: PublicJwk
  /** The private key, sealed with the master key. */
  readonly sealedPrivateKey: Uint8Array
  readonly createdAtMs: number
  readonly retiredAtMs: number | null
}

/** Who did it: recorded with every write. */
export interface Actor {
  readonly requestId: string
  /** Id of the token that authenticated the request; `null` offline. */
  readonly tokenId: string | null
  readonly userId: string
  readonly email: string
  /** `x-user-email` as sent. A claim, never evidence. */
  readonly claimedEmail: string | null
}

export type AuditAction =
  | 'token.issued'
  | 'token.revoked'
  | 'business.saved'
  | 'business.revoked'
  | 'member.saved'
  | 'member.removed'
  | 'member.revoked'
  | 'key.added'
  | 'key.retired'
  | 'operator.recovered'
  | 'backup.made'
  | 'epoch.opened'

export interface AuditEvent {
  readonly id: string
  readonly atMs: number
  readonly action: AuditAction
  readonly actor: Actor
  readonly businessId: string | null
  /** Id of what was acted on: a token, member, business or key, or the epoch of the log. */
  readonly subjectId: string
}

/** A node that may be deciding, or granting leases to verifiers that do. One process, from its start to its end. */
export interface NodeRecord {
  /** UUID, never used again. */
  readonly nodeId: string
  /** The longest lease the node ever holds or grants. Whoever waits for the node waits this long, whatever its own configuration says. */
  readonly leaseMs: number
  /** Goes up with every renewal, and with nothing else. */
  readonly renewals: number
  /** The node, and everyone who holds a lease from it, has applied the log up to here or cannot decide. As it last reported. */
  readonly inForceSeq: number
}
