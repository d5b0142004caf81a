import { isManagementScope, type ManagementScope } from '@rescind/protocol'
import type { Role } from '../storage/storage.ts'

/** What each role may do through a token. `introspect` and `feed` are here because an operator may grant them to any member. */
const ALLOWED: Record<Role, readonly ManagementScope[]> = {
  owner: ['tokens:read', 'tokens:write', 'members:write', 'introspect', 'feed'],
  admin: ['tokens:read', 'tokens:write', 'members:write', 'introspect', 'feed'],
  member: ['tokens:read', 'tokens:write', 'introspect', 'feed'],
  viewer: ['tokens:read', 'introspect', 'feed'],
}

/** Application scopes mean nothing to this service, so every role may carry them. */
export function roleAllows(role: Role, scope: string): boolean {
  return !isManagementScope(scope) || ALLOWED[role].includes(scope)
}

/** Management scopes a holder of this role may be given by other members. */
export function delegableScopes(role: Role): ManagementScope[] {
  return ALLOWED[role].filter((scope) => scope !== 'introspect' && scope !== 'feed')
}

/** Owners and admins see and revoke every token of their business; the others their own. */
export function reachesEveryone(role: Role): boolean {
  return role === 'owner' || role === 'admin'
}
