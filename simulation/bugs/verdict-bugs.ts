import type { Bug } from './bug.ts'

const ATTACHED_VERIFIER = 'packages/verifier/core/attached-verifier.ts'
const VERIFY_OR_ASK = 'packages/verifier/core/verify-or-ask.ts'

/** Rule 11: an answer serves whoever asked. */
export const VERDICT_BUGS: readonly Bug[] = [
  {
    name: 'questions to the service are shared',
    rule: 11,
    breaks: 'I14',
    patches: [
      {
        file: VERIFY_OR_ASK,
        find: "return verdict.status === 'undecided' ? ask(token, expected) : verdict",
        replace: `if (verdict.status !== 'undecided') return verdict
  const asked = (globalThis.asked ??= new Map())
  if (!asked.has(token)) asked.set(token, ask(token, expected).finally(() => asked.delete(token)))
  return asked.get(token)`,
      },
    ],
  },
  {
    name: 'the verdict is kept',
    rule: 11,
    breaks: 'I7',
    patches: [
      {
        file: ATTACHED_VERIFIER,
        find: "const verdict = this.#verifier?.verify(token, expected) ?? { status: 'undecided' }",
        replace: `this.kept ??= new Map()
    const verdict = this.kept.get(token) ?? this.#verifier?.verify(token, expected) ?? { status: 'undecided' }
    if (verdict.status === 'valid') this.kept.set(token, verdict)`,
      },
    ],
  },
]
