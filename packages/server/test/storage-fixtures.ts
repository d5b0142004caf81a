import { randomBytes, randomUUID } from 'node:crypto'
import { createUuidV7Source, publicJwk } from '@rescind/protocol'
import type {
  Actor,
  AuditEvent,
  Business,
  Installation,
  Member,
  NewToken,
  Revocation,
  SigningKeyRecord,
  Storage,
  Transaction,
} from '../storage/storage.ts'

/** A moment for tests: whole numbers of milliseconds that are no whole seconds. */
export const NOW_MS = 1_790_000_000_123

export const newId = createUuidV7Source({ nowMs: () => NOW_MS }, randomUUID)

export const installation: Installation = {
  issuer: 'https://tokens.example',
  epoch: randomUUID(),
  tokenPrefix: 'dz_',
  operatorUserId: randomUUID(),
  operatorEmail: 'operator@example.com',
  createdAtMs: NOW_MS,
}

export function newBusiness(name = 'Ärger & Söhne'): Business {
  return { id: newId(), name, createdAtMs: NOW_MS }
}

export function newMember(businessId: string, fields: Partial<Member> = {}): Member {
  const userId = randomUUID()
  return { businessId, userId, email: `${userId}@example.com`, role: 'member', createdAtMs: NOW_MS, ...fields }
}

export function newKey(): SigningKeyRecord {
  const jwk = publicJwk({ kty: 'OKP', crv: 'Ed25519', x: randomBytes(32).toString('base64url') })
  return { jwk, sealedPrivateKey: new Uint8Array(randomBytes(60)), createdAtMs: NOW_MS, retiredAtMs: null }
}

/** What a storage holds before most tests begin. */
export interface World {
  readonly key: SigningKeyRecord
  readonly business: Business
  readonly member: Member
}

export async function settle(storage: Storage): Promise<World> {
  const key = newKey()
  const business = newBusiness()
  const member = newMember(business.id)
  await storage.transact(async (tx) => {
    await tx.createInstallation(installation)
    await tx.insertSigningKey(key)
    await tx.upsertBusiness(business)
    await tx.upsertMember(member)
  })
  return { key, business, member }
}

/** A token of the world's member, with an index taken in `tx`. */
export async function issue(tx: Transaction, world: World, fields: Partial<NewToken> = {}): Promise<NewToken> {
  const token: NewToken = {
    id: newId(),
    jti: randomUUID(),
    idx: await tx.takeIdx(),
    businessId: world.business.id,
    userId: world.member.userId,
    kid: world.key.jwk.kid,
    name: 'deploy',
    description: null,
    scopes: ['tokens:read', 'reports:write'],
    createdAtMs: NOW_MS,
    expiresAtMs: NOW_MS + 86_400_000,
    issuedBy: null,
    ...fields,
  }
  await tx.insertToken(token)
  return token
}

/** Revokes one token the way the service does: entry first, then the row. */
export async function revoke(
  tx: Transaction,
  idx: number,
  by: string | null = 'owner@example.com',
): Promise<Revocation> {
  const entry = await tx.appendEntry({ kind: 'token_revoked', idx }, NOW_MS + 1)
  const revocation = { seq: entry.seq, atMs: entry.atMs, by, reason: 'left on a train' }
  await tx.markRevoked(idx, revocation)
  return revocation
}

export const actor: Actor = {
  requestId: randomUUID(),
  tokenId: newId(),
  userId: randomUUID(),
  email: 'owner@example.com',
  claimedEmail: 'someone@example.com',
}

export function newAuditEvent(fields: Partial<AuditEvent> = {}): AuditEvent {
  return { id: newId(), atMs: NOW_MS, action: 'token.revoked', actor, businessId: null, subjectId: newId(), ...fields }
}
