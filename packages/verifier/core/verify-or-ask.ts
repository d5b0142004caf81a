import type { Verdict } from '@rescind/protocol'
import type { Expectations } from './expectations.ts'
import type { Undecided } from './local-verifier.ts'

/** Asks the service for its verdict; what comes of it when it cannot be asked or cannot decide is up to whoever asks. */
export type Ask<Answer> = (token: string, expected?: Expectations) => Promise<Answer>

/** Decides as far as it may. */
interface DecidesAlone {
  verify(token: string, expected?: Expectations): Verdict | Undecided
}

/**
 * The verdict on a token: decided here while a lease holds, otherwise asked for. Each verification asks for itself: an
 * answer to a question sent earlier, a kept one included, says nothing of what was revoked in between.
 */
export function verifyOrAsk<Answer>(
  verifier: DecidesAlone,
  ask: Ask<Answer>,
  token: string,
  expected?: Expectations,
): Verdict | Promise<Answer> {
  const verdict = verifier.verify(token, expected)
  return verdict.status === 'undecided' ? ask(token, expected) : verdict
}
