import { MANAGEMENT_SCOPES } from '@rescind/protocol'
import type { Attempt, Caller, Header, MemberName, Operation, TokenName } from './permission-oracle.ts'
import { ROLES } from './permission-oracle.ts'

const APPLICATION_SCOPE = 'reports:read'

/** Each management scope alone, all of them with one of the application, none, and that of the application alone. */
const SCOPE_SETS: readonly (readonly string[])[] = [
  ...MANAGEMENT_SCOPES.map((scope) => [scope]),
  [...MANAGEMENT_SCOPES, APPLICATION_SCOPE],
  [],
  [APPLICATION_SCOPE],
]

export const CALLERS: readonly Caller[] = SCOPE_SETS.flatMap((scopes): Caller[] => [
  ...ROLES.map((role): Caller => ({ kind: 'member', role, scopes })),
  ...[null, ...ROLES].map((actsFor): Caller => ({ kind: 'operator', actsFor, scopes })),
])

const HEADERS: readonly Header[] = ['home', 'away', 'absent']
const TOKENS: readonly TokenName[] = ['own', 'mate', 'away', 'unknown']
const BUSINESSES = ['home', 'away', 'unknown'] as const
const MEMBERS: readonly MemberName[] = [
  ...(['self', ...ROLES, 'unknown'] as const).map((user): MemberName => ({ business: 'home', user })),
  { business: 'away', user: 'owner' },
  { business: 'unknown', user: 'unknown' },
]

const OPERATIONS: readonly Operation[] = [
  ...[undefined, [], [APPLICATION_SCOPE], ...MANAGEMENT_SCOPES.map((scope) => [scope])].map(
    (scopes): Operation => ({ name: 'create', scopes }),
  ),
  ...(['own', 'mate', 'nobody', 'everyone'] as const).map((of): Operation => ({ name: 'list', of })),
  ...TOKENS.flatMap((token): Operation[] => [
    { name: 'show', token },
    { name: 'revoke', token },
    ...([undefined, 'home', 'away'] as const).map((business): Operation => ({ name: 'verify', token, business })),
  ]),
  ...BUSINESSES.flatMap((business): Operation[] => [
    { name: 'showBusiness', business },
    { name: 'saveBusiness', business },
    { name: 'revokeBusiness', business },
  ]),
  ...MEMBERS.flatMap((member): Operation[] => [
    { name: 'showMember', member },
    { name: 'removeMember', member },
    { name: 'revokeMember', member },
    ...(['same', 'owner', 'viewer'] as const).map((role): Operation => ({ name: 'saveMember', member, role })),
  ]),
  { name: 'listKeys' },
  { name: 'rotateKey' },
  { name: 'makeBackup' },
  ...(['unknown', 'signing', 'spare'] as const).map((key): Operation => ({ name: 'retireKey', key })),
]

/** The whole table. */
export const ATTEMPTS: readonly Attempt[] = CALLERS.flatMap((caller) =>
  HEADERS.flatMap((header) => OPERATIONS.map((operation) => ({ caller, header, operation }))),
)

/** What success of the operation does: nothing, adding something of its own, or changing what others depend on. */
export function effectOf({ name }: Operation): 'none' | 'adds' | 'changes' {
  switch (name) {
    case 'list':
    case 'show':
    case 'verify':
    case 'showBusiness':
    case 'showMember':
    case 'listKeys':
    case 'makeBackup':
      return 'none'
    case 'create':
    case 'saveBusiness':
    case 'rotateKey':
    case 'retireKey':
      return 'adds'
    default:
      return 'changes'
  }
}
