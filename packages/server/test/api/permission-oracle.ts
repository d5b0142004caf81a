/**
 * What every caller may do, written from the sentences of the contract alone: it shares no code and no table with the
 * service.
 */

export const ROLES = ['owner', 'admin', 'member', 'viewer'] as const
export type Role = (typeof ROLES)[number]

/** Who asks. Everything is seen from a business called home; away is another one. */
export type Caller =
  | { readonly kind: 'member'; readonly role: Role; readonly scopes: readonly string[] }
  /** `actsFor` is the role of the member of home that `x-user-email` names; `null` when the operator acts for itself. */
  | { readonly kind: 'operator'; readonly actsFor: Role | null; readonly scopes: readonly string[] }

type BusinessName = 'home' | 'away' | 'unknown'
/** What `x-business-id` says. */
export type Header = 'home' | 'away' | 'absent'
/** `own` is the caller's, or the member's an operator acts for; `mate` is another member's of home. */
export type TokenName = 'own' | 'mate' | 'away' | 'unknown'
/** `self` is the caller, or the member an operator acts for; a role is another member of home with that role. */
export type MemberName = { readonly business: BusinessName; readonly user: 'self' | Role | 'unknown' }

export type Operation =
  | { readonly name: 'create'; readonly scopes: readonly string[] | undefined }
  | { readonly name: 'list'; readonly of: 'own' | 'mate' | 'nobody' | 'everyone' }
  | { readonly name: 'show' | 'revoke'; readonly token: TokenName }
  | { readonly name: 'verify'; readonly token: TokenName; readonly business: 'home' | 'away' | undefined }
  | { readonly name: 'showBusiness' | 'saveBusiness' | 'revokeBusiness'; readonly business: BusinessName }
  | { readonly name: 'showMember' | 'removeMember' | 'revokeMember'; readonly member: MemberName }
  | { readonly name: 'saveMember'; readonly member: MemberName; readonly role: 'same' | 'owner' | 'viewer' }
  | { readonly name: 'listKeys' | 'rotateKey' | 'makeBackup' }
  | { readonly name: 'retireKey'; readonly key: 'unknown' | 'signing' | 'spare' }

export interface Attempt {
  readonly caller: Caller
  readonly header: Header
  readonly operation: Operation
}

const OPERATOR_ONLY = ['operator', 'introspect', 'feed']

/** The status that the contract demands. */
export function expectedStatus({ caller, header, operation }: Attempt): number {
  return headerStatus(caller, header, operation) ?? scopeStatus(caller, operation) ?? outcome(caller, header, operation)
}

/** Whether a token that is asked about is valid, for those who may ask. */
export function expectedVerdict({ caller, header }: Attempt, token: TokenName, business: string | undefined): boolean {
  if (token === 'unknown') return false
  const itself = caller.kind === 'operator' && caller.actsFor === null
  const belongsTo = token === 'away' ? 'away' : itself && token === 'own' ? undefined : 'home'
  // "A member's token sees only its own business"; for an operator "the header selects one".
  const demanded = header === 'absent' ? business : header
  return demanded === undefined || belongsTo === demanded
}

/** "x-business-id is required. Missing or not a UUID: 400. A business that is not the token's: 403." */
function headerStatus(caller: Caller, header: Header, operation: Operation): number | undefined {
  const path = businessInPath(operation)
  if (caller.kind === 'member') {
    if (header === 'absent') return 400
    return header === 'home' && (path ?? 'home') === 'home' ? undefined : 403
  }
  // "On /businesses/{id} it may be absent or must be equal."
  if (path !== undefined) return header === 'absent' || header === path ? undefined : 400
  // "With x-user-email an operator acts for that member of the selected business"; for itself the header may be absent.
  return caller.actsFor !== null && header === 'absent' && !isOfNoBusiness(operation) ? 400 : undefined
}

/** "What a token may do is its scopes cut down to its user's current role." */
function scopeStatus(caller: Caller, operation: Operation): number | undefined {
  const held = effectiveScopes(caller)
  if (operation.name === 'verify')
    return held.some((scope) => scope === 'introspect' || scope === 'feed') ? undefined : 403
  const needed = neededScope(operation)
  const permitted = caller.kind === 'operator' ? held.includes('operator') : held.includes(needed)
  return permitted ? undefined : 403
}

function neededScope(operation: Exclude<Operation, { name: 'verify' }>): string {
  switch (operation.name) {
    case 'create':
    case 'revoke':
      return 'tokens:write'
    case 'list':
    case 'show':
      return 'tokens:read'
    case 'saveBusiness':
    case 'listKeys':
    case 'rotateKey':
    case 'retireKey':
    case 'makeBackup':
      return 'operator'
    default:
      return 'members:write'
  }
}

function effectiveScopes(caller: Caller): readonly string[] {
  return caller.scopes.filter((scope) =>
    caller.kind === 'operator' ? OPERATOR_ONLY.includes(scope) : roleMayUse(caller.role, scope),
  )
}

/** Whether a token of a member with this role may carry the scope. */
function roleMayUse(role: Role, scope: string): boolean {
  if (scope === 'operator') return false
  // "Provisioning (operator; owner/admin for their own members)."
  if (scope === 'members:write') return role === 'owner' || role === 'admin'
  // "Viewer: none."
  if (scope === 'tokens:write') return role !== 'viewer'
  return true
}

function outcome(caller: Caller, header: Header, operation: Operation): number {
  const role = caller.kind === 'member' ? caller.role : caller.actsFor
  const everyone = role === 'owner' || role === 'admin'
  if (caller.kind === 'operator' && role !== null && !isOfNoBusiness(operation) && operation.name !== 'saveBusiness') {
    // "Not a member: 404." The member is one of home.
    if ((businessInPath(operation) ?? header) !== 'home') return 404
  }
  switch (operation.name) {
    case 'create':
      return (operation.scopes ?? []).every((scope) => mayGrant(caller, role, scope)) ? 201 : 403
    case 'list':
      if (operation.of === 'own') return 200
      if (!everyone) return 403
      return operation.of === 'nobody' ? 404 : 200
    case 'show':
      return operation.token === 'own' || (operation.token === 'mate' && everyone) ? 200 : 404
    case 'revoke':
      if (operation.token === 'own' || (operation.token === 'mate' && everyone)) return 201
      // "Operator for itself: tokens it lists and revokes are its own." A mate's is one of another business to it.
      return operation.token === 'mate' && role !== null ? 403 : 404
    case 'verify':
      return header !== 'absent' && (operation.business ?? header) !== header ? 403 : 200
    case 'showBusiness':
    case 'revokeBusiness':
      return operation.business === 'unknown' ? 404 : 200
    case 'saveBusiness':
    case 'listKeys':
    case 'rotateKey':
      return 200
    case 'showMember':
    case 'revokeMember':
      return isMember(caller, operation.member) ? 200 : 404
    case 'removeMember':
      if (!isMember(caller, operation.member)) return 404
      return touchesOwner(caller, operation.member) ? 403 : 200
    case 'saveMember':
      if (operation.member.business === 'unknown') return 404
      return touchesOwner(caller, operation.member, operation.role) ? 403 : 200
    case 'makeBackup':
      // "The embedded database"; another one has tools of its own.
      return process.env.RESCIND_TEST_BACKEND === 'postgres' ? 409 : 200
    case 'retireKey':
      return { unknown: 404, signing: 409, spare: 200 }[operation.key]
  }
}

/** "Never more than the creator holds"; "the last three only an operator grants"; `operator` is never a member's. */
function mayGrant(caller: Caller, holderRole: Role | null, scope: string): boolean {
  if (holderRole === null) return OPERATOR_ONLY.includes(scope) && effectiveScopes(caller).includes(scope)
  if (caller.kind === 'operator') {
    if (OPERATOR_ONLY.includes(scope) && !effectiveScopes(caller).includes(scope)) return false
    return roleMayUse(holderRole, scope)
  }
  return !OPERATOR_ONLY.includes(scope) && effectiveScopes(caller).includes(scope)
}

function isMember(caller: Caller, { business, user }: MemberName): boolean {
  if (business === 'unknown' || user === 'unknown') return false
  return user !== 'self' || caller.kind === 'member' || caller.actsFor !== null
}

/** An admin neither changes, removes nor appoints an owner. */
function touchesOwner(caller: Caller, { user }: MemberName, role?: string): boolean {
  return caller.kind === 'member' && caller.role === 'admin' && (user === 'owner' || role === 'owner')
}

function businessInPath(operation: Operation): BusinessName | undefined {
  if ('member' in operation) return operation.member.business
  return operation.name === 'showBusiness' || operation.name === 'saveBusiness' || operation.name === 'revokeBusiness'
    ? operation.business
    : undefined
}

/** Keys and backups are of the whole installation. */
function isOfNoBusiness({ name }: Operation): boolean {
  return name === 'listKeys' || name === 'rotateKey' || name === 'retireKey' || name === 'makeBackup'
}
