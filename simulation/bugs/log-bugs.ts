import type { Bug } from './bug.ts'

const ATTACHED_VERIFIER = 'packages/verifier/core/attached-verifier.ts'
const FEED_SESSION = 'packages/server/revocations/feed-session.ts'
const VERIFIER = 'packages/verifier/core/local-verifier.ts'
const EPOCHS = 'packages/verifier/core/epochs.ts'
const OPEN_EPOCH = 'packages/server/revocations/open-epoch.ts'

/** Rule 10: what was applied is what the log says. */
export const LOG_BUGS: readonly Bug[] = [
  {
    name: 'acknowledged before it is applied',
    rule: 10,
    breaks: 'I2',
    patches: [
      {
        file: ATTACHED_VERIFIER,
        find: 'return takesEffect(() => this.#verifier?.apply(effect.entries))',
        replace: 'this.#options.timers.after(5, () => this.#verifier?.apply(effect.entries))\n        return true',
      },
    ],
  },
  {
    name: 'the hash is not compared',
    rule: 10,
    breaks: 'I2',
    patches: [
      {
        file: FEED_SESSION,
        find: 'return hash === (seq === 0 ? genesis(epoch).hash : await log.hashAt(seq))',
        replace: 'return hash === (seq === 0 ? genesis(epoch).hash : ((await log.hashAt(seq)) && hash))',
      },
    ],
  },
  {
    name: 'another history replaces what was revoked instead of being united with it',
    rule: 10,
    breaks: 'I8',
    patches: [
      {
        file: VERIFIER,
        find: 'const revocations = new RevocationSet()',
        replace: 'let revocations = new RevocationSet()',
      },
      {
        file: VERIFIER,
        find: '    keyring.addAll(snapshot.keys)',
        replace: '    keyring.addAll(snapshot.keys)\n    revocations = new RevocationSet()',
      },
    ],
  },
  {
    name: 'every token of a former epoch is accepted',
    rule: 10,
    breaks: 'G2',
    patches: [
      { file: EPOCHS, find: 'former !== undefined && idx < former.beforeIdx', replace: 'former !== undefined' },
    ],
  },
  {
    name: 'indexes that were lost with the end of the log are given out again',
    rule: 10,
    breaks: 'G4',
    patches: [{ file: OPEN_EPOCH, find: 'await tx.skipIdxs(stepTo(epoch, beforeIdx))', replace: '' }],
  },
]
