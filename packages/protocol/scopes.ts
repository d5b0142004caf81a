/** Scopes with a meaning to the service itself. Every other scope belongs to the application. */
export const MANAGEMENT_SCOPES = [
  'tokens:read',
  'tokens:write',
  'members:write',
  'operator',
  'introspect',
  'feed',
] as const

export type ManagementScope = (typeof MANAGEMENT_SCOPES)[number]

/** Scopes that only an operator grants: they reach beyond one business. */
export const OPERATOR_SCOPES = ['operator', 'introspect', 'feed'] as const satisfies readonly ManagementScope[]

/** A management scope or one of the application. */
export const SCOPE_PATTERN = /^[a-z0-9_.:-]{1,64}$/

export function isOperatorScope(scope: string): boolean {
  return OPERATOR_SCOPES.some((each) => each === scope)
}

export function isManagementScope(scope: string): scope is ManagementScope {
  return MANAGEMENT_SCOPES.some((each) => each === scope)
}

/** The scopes of a `scope` claim, in order. */
export function parseScope(scope: string): readonly string[] {
  return scope === '' ? [] : scope.split(' ')
}
