import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import {
  continues,
  createUuidV7Source,
  type Entry,
  genesis,
  type Position,
  positionAfter,
  publicJwk,
} from '@rescind/protocol'
import type {
  Actor,
  AuditEvent,
  BulkTarget,
  Business,
  Installation,
  Member,
  NewToken,
  NodeRecord,
  Revocation,
  SigningKeyRecord,
  Storage,
  Transaction,
} from '../../storage/storage.ts'

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

const actor: Actor = {
  requestId: randomUUID(),
  tokenId: newId(),
  userId: randomUUID(),
  email: 'owner@example.com',
  claimedEmail: 'someone@example.com',
}

export function newAuditEvent(fields: Partial<AuditEvent> = {}): AuditEvent {
  return { id: newId(), atMs: NOW_MS, action: 'token.revoked', actor, businessId: null, subjectId: newId(), ...fields }
}

/** Runs the steps one after the other. */
export async function sequence<T, R>(items: readonly T[], step: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const item of items) results.push(await step(item))
  return results
}

/** 0, 1, 2, … below `count`. */
export function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
}

/** A second business with a member and a key, so that there is something to be spared. */
export async function neighbour(tx: Transaction): Promise<World> {
  const business = newBusiness()
  const member = newMember(business.id)
  const key = newKey()
  await tx.upsertBusiness(business)
  await tx.upsertMember(member)
  await tx.insertSigningKey(key)
  return { key, business, member }
}

/** The bulk target of this kind that the world's own tokens fall under. */
export function subjectOf(kind: BulkTarget['kind'], { business, member, key }: World): BulkTarget {
  switch (kind) {
    case 'business':
      return { kind, businessId: business.id }
    case 'member':
      return { kind, businessId: business.id, userId: member.userId }
    case 'key':
      return { kind, kid: key.jwk.kid }
  }
}

/** Revokes in bulk the way the service does: lock, counter, entry, then the row. */
export async function revokeBulk(tx: Transaction, subject: BulkTarget, by = 'owner@example.com') {
  await tx.lockTarget(subject)
  const beforeIdx = await tx.nextIdx()
  const body =
    subject.kind === 'business'
      ? { kind: 'business_revoked' as const, businessId: subject.businessId, beforeIdx }
      : subject.kind === 'member'
        ? { kind: 'member_revoked' as const, businessId: subject.businessId, userId: subject.userId, beforeIdx }
        : { kind: 'key_retired' as const, kid: subject.kid }
  const { seq, atMs } = await tx.appendEntry(body, NOW_MS + 2)
  const revocation = { seq, atMs, by, reason: null }
  await tx.insertBulkRevocation(subject, beforeIdx, revocation)
  return revocation
}

/** Asserts that the entries continue from `start` without a gap. */
export function assertChain(start: Position, entries: readonly Entry[]): void {
  let position = start
  for (const entry of entries) {
    assert.ok(continues(position, entry), `entry ${entry.seq} continues ${position.seq}`)
    position = positionAfter(position, entry)
  }
}

/** The whole log, or what comes after a position, through a follower: the storage cannot be followed again until it is reopened. */
export async function readLog(storage: Storage, after = genesis(installation.epoch)): Promise<Entry[]> {
  const entries: Entry[] = []
  await storage.follow(after, (more) => entries.push(...more))
  return entries
}

/** What {@link joinNode} joins with. */
export const LEASE_MS = 30_000

/** A new node of the membership that grants leases; gives its id. */
export async function joinNode(storage: Storage, leaseMs = LEASE_MS): Promise<string> {
  const nodeId = randomUUID()
  await storage.membership.join({ nodeId, leaseMs })
  await storage.membership.announceGrants(nodeId)
  return nodeId
}

export async function findNode(storage: Storage, nodeId: string): Promise<NodeRecord | undefined> {
  return (await storage.membership.members()).find((node) => node.nodeId === nodeId)
}

/** Appends an entry in a unit of its own. */
export function appendEntry(storage: Storage): Promise<Entry> {
  return storage.transact((tx) => tx.appendEntry({ kind: 'token_revoked', idx: 0 }, NOW_MS))
}
