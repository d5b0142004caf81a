import type { Bug } from './bug.ts'

const MEMBERS = 'packages/server/access/members.ts'
const REVOKE_TOKEN = 'packages/server/revocations/revoke-token.ts'

/** Rule 12: what is durable and in force before it is answered. */
export const ANSWER_BUGS: readonly Bug[] = [
  {
    name: 'a repeated revocation is answered at once',
    rule: 12,
    breaks: 'I1',
    patches: [
      {
        file: REVOKE_TOKEN,
        find: 'inForce: await deps.enforcement.inForce(outcome.token.revocation.seq)',
        replace:
          'inForce: outcome.first ? await deps.enforcement.inForce(outcome.token.revocation.seq) : { applied: 0, waitedOut: 0, waitedMs: 0 }',
      },
    ],
  },
  {
    name: 'a member change is answered before what it ended is in force',
    rule: 12,
    breaks: 'I1',
    patches: [
      {
        file: MEMBERS,
        find: 'return { member, inForce: await deps.tokens.inForce(seq) }',
        replace: 'return { member, inForce: { applied: 0, waitedOut: 0, waitedMs: 0 } }',
      },
    ],
  },
  {
    name: 'a repeated member change is answered at once',
    rule: 12,
    breaks: 'I1',
    patches: [
      {
        file: MEMBERS,
        find: 'let { seq } = await tx.head()',
        replace: 'let seq = 0',
      },
      { file: MEMBERS, find: 'await deps.tokens.inForce(outcome.goneSeq)', replace: '' },
    ],
  },
  {
    name: 'an error at commit counts as success',
    rule: 12,
    breaks: 'I10',
    patches: [
      {
        file: REVOKE_TOKEN,
        find: 'const outcome = await write<Revoked | Refused>(',
        replace: 'let known\n  const outcome = await write<Revoked | Refused>(',
      },
      {
        file: REVOKE_TOKEN,
        find: 'return { token: { ...token, revocation }, first: true }\n  })',
        replace:
          'known = { token: { ...token, revocation }, first: true }\n    return known\n  }).catch((error) => known ?? Promise.reject(error))',
      },
    ],
  },
]
