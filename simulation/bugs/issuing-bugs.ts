import type { Bug } from './bug.ts'

const ISSUE_TOKEN = 'packages/server/tokens/issue-token.ts'
const REVOKE_ALL = 'packages/server/revocations/revoke-all.ts'
const SIGNING_KEYS = 'packages/server/tokens/signing-keys.ts'
const START_DECIDING = 'packages/server/start-deciding.ts'
const WRITE_AS = 'packages/server/access/write-as.ts'

/** Rules 13 and 14: which tokens are issued while others end, and with which key. */
export const ISSUING_BUGS: readonly Bug[] = [
  {
    name: 'a token is issued without the lock of its member',
    rule: 13,
    breaks: 'I12',
    patches: [
      { file: ISSUE_TOKEN, find: 'await tx.lockHolder({ businessId, userId, kid: key.jwk.kid })', replace: '' },
    ],
  },
  {
    name: 'a bulk revocation reads the counter without a lock',
    rule: 13,
    breaks: 'I12',
    patches: [{ file: REVOKE_ALL, find: 'await tx.lockTarget(target)', replace: '' }],
  },
  {
    name: 'a token that dies mints a successor',
    rule: 13,
    breaks: 'I13',
    patches: [{ file: WRITE_AS, find: 'return refused ?? unit(', replace: 'return unit(' }],
  },
  {
    name: 'a key signs before its entry is in force',
    rule: 14,
    breaks: 'I15',
    patches: [
      {
        file: SIGNING_KEYS,
        find: 'const inForce = await this.#deps.inForce(outcome.seq)\n    this.#promote(key)',
        replace: 'this.#promote(key)\n    const inForce = await this.#deps.inForce(outcome.seq)',
      },
    ],
  },
  {
    name: 'a key of another node signs before its entry is in force',
    rule: 14,
    breaks: 'I15',
    patches: [{ file: SIGNING_KEYS, find: '    await this.#deps.inForce(seq)\n', replace: '' }],
  },
  {
    name: 'a node hears of new keys when it starts, and never again',
    rule: 14,
    breaks: 'I15',
    patches: [{ file: START_DECIDING, find: 'if (entries.some(isAboutKey)) keysChanged()', replace: '' }],
  },
]
