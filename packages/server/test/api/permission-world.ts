import { randomUUID } from 'node:crypto'
import type { ClientRequest } from '../service/http-client.ts'
import type { Holder, Issued } from '../service/provisioning.ts'
import type { OfflineWriter } from './offline-writer.ts'
import { type Attempt, type Caller, type MemberName, type Operation, ROLES, type Role } from './permission-oracle.ts'

/** Two businesses with a member of every role, the caller among them, and a token of everyone whom the table targets. */
export interface World {
  readonly home: string
  readonly away: string
  readonly operatorUserId: string
  readonly mates: Readonly<Record<Role, Holder>>
  readonly selves: Readonly<Record<Role, Holder>>
  readonly stranger: Holder
  readonly callerTokens: ReadonlyMap<Caller, Issued>
  readonly ownTokens: Readonly<Record<Role, Issued>>
  readonly operatorsOwn: Issued
  readonly mateToken: Issued
  readonly strangerToken: Issued
  readonly unknownId: string
}

/**
 * @param callers who may attempt something in this world
 * @param operatorsOwn the token of its own that an operator targets
 */
export async function createWorld(
  writer: OfflineWriter,
  callers: readonly Caller[],
  operatorsOwn: Issued,
): Promise<World> {
  const home = await writer.business()
  const away = await writer.business()
  const ofEach = async <T>(make: (role: Role) => Promise<T>) =>
    Object.fromEntries(await inOrder(ROLES, async (role) => [role, await make(role)])) as Record<Role, T>
  const mates = await ofEach((role) => writer.member(home, role))
  const selves = await ofEach((role) => writer.member(home, role))
  const stranger = await writer.member(away, 'owner')
  const callerTokens = await inOrder(callers, async (caller) => {
    const holder = caller.kind === 'operator' ? 'operator' : selves[caller.role]
    return [caller, await writer.token(holder, caller.scopes)] as const
  })
  return {
    home,
    away,
    operatorUserId: writer.operatorUserId,
    mates,
    selves,
    stranger,
    callerTokens: new Map(callerTokens),
    ownTokens: await ofEach((role) => writer.token(selves[role], [])),
    operatorsOwn,
    mateToken: await writer.token(mates.member, []),
    strangerToken: await writer.token(stranger, []),
    unknownId: randomUUID(),
  }
}

/** The request of an attempt in a world. */
export function requestOf(world: World, { caller, header, operation }: Attempt, kids: Kids): ClientRequest {
  const business = header === 'absent' ? undefined : world[header]
  const role = roleOf(caller)
  return {
    ...operationRequest(world, role, operation, kids),
    token: world.callerTokens.get(caller)?.token ?? '',
    ...(business !== undefined && { business }),
    ...(caller.kind === 'operator' && role !== null && { headers: { 'x-user-email': world.selves[role].email } }),
  }
}

/** Ids of keys that retiring is tried on. */
interface Kids {
  readonly signing: string
  spare(): string
}

function operationRequest(
  world: World,
  role: Role | null,
  operation: Operation,
  kids: Kids,
): Pick<ClientRequest, 'method' | 'path' | 'json'> {
  const token = 'token' in operation ? tokenOf(world, role, operation.token) : undefined
  switch (operation.name) {
    case 'create':
      return { method: 'POST', path: '/api/v1/tokens', json: { name: 'created', scopes: operation.scopes } }
    case 'list': {
      const of = {
        own: '',
        mate: `&user_email=${world.mates.member.email}`,
        nobody: '&user_email=x@y',
        everyone: '&all=1',
      }
      return { method: 'GET', path: `/api/v1/tokens?limit=1000${of[operation.of]}` }
    }
    case 'show':
      return { method: 'GET', path: `/api/v1/tokens/${token?.id ?? world.unknownId}` }
    case 'revoke':
      return { method: 'POST', path: `/api/v1/tokens/${token?.id ?? world.unknownId}/revoke` }
    case 'verify': {
      const { business } = operation
      const json = { token: token?.token ?? 'unknown', ...(business && { business_id: world[business] }) }
      return { method: 'POST', path: '/api/v1/tokens/verify', json }
    }
    case 'showBusiness':
      return { method: 'GET', path: businessPath(world, operation.business) }
    case 'saveBusiness':
      return { method: 'PUT', path: businessPath(world, operation.business), json: { name: 'renamed' } }
    case 'revokeBusiness':
      return { method: 'POST', path: `${businessPath(world, operation.business)}/revoke-tokens` }
    case 'showMember':
      return { method: 'GET', path: memberPath(world, role, operation.member) }
    case 'removeMember':
      return { method: 'DELETE', path: memberPath(world, role, operation.member) }
    case 'revokeMember':
      return { method: 'POST', path: `${memberPath(world, role, operation.member)}/revoke-tokens` }
    case 'saveMember': {
      const { email, role: current } = memberOf(world, role, operation.member)
      const json = { email, role: operation.role === 'same' ? current : operation.role }
      return { method: 'PUT', path: memberPath(world, role, operation.member), json }
    }
    case 'listKeys':
      return { method: 'GET', path: '/api/v1/keys' }
    case 'rotateKey':
      return { method: 'POST', path: '/api/v1/keys/rotate' }
    case 'makeBackup':
      return { method: 'POST', path: '/api/v1/backup' }
    case 'retireKey': {
      const kid = { unknown: () => 'unknown', signing: () => kids.signing, spare: () => kids.spare() }[operation.key]()
      return { method: 'POST', path: `/api/v1/keys/${kid}/retire` }
    }
  }
}

/** The role the caller has in home, or acts in. */
export function roleOf(caller: Caller): Role | null {
  return caller.kind === 'member' ? caller.role : caller.actsFor
}

/** `undefined` for one that nobody has. */
export function tokenOf(world: World, role: Role | null, name: string): Issued | undefined {
  if (name === 'own') return role === null ? world.operatorsOwn : world.ownTokens[role]
  return name === 'mate' ? world.mateToken : name === 'away' ? world.strangerToken : undefined
}

function memberOf(
  world: World,
  role: Role | null,
  { business, user }: MemberName,
): Pick<Holder, 'userId' | 'email' | 'role'> {
  if (business === 'away') return world.stranger
  if (user === 'unknown') return { userId: world.unknownId, email: `${world.unknownId}@example.com`, role: 'member' }
  if (user !== 'self') return world.mates[user]
  if (role !== null) return world.selves[role]
  return { userId: world.operatorUserId, email: `${world.operatorUserId}@example.com`, role: 'member' }
}

function businessPath(world: World, name: 'home' | 'away' | 'unknown'): string {
  return `/api/v1/businesses/${name === 'unknown' ? world.unknownId : world[name]}`
}

function memberPath(world: World, role: Role | null, member: MemberName): string {
  return `${businessPath(world, member.business)}/members/${memberOf(world, role, member).userId}`
}

async function inOrder<T, R>(items: readonly T[], each: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const item of items) results.push(await each(item))
  return results
}
