import type { Verdict } from '@rescind/protocol'
import type { Expectations } from './expectations.ts'
import type { Undecided } from './local-verifier.ts'

/** Asks the service for its verdict; `undecided` when it cannot be asked or cannot decide. */
export type Ask = (token: string, expected?: Expectations) => Promise<Verdict | Undecided>

/** Decides as far as it may. */
interface LocalVerifier {
  verify(token: string, expected?: Expectations): Verdict | Undecided
}

/**
 * The verdict on a token: decided here while a lease holds, otherwise asked for. Each verification asks for itself: an
 * answer to a question sent earlier, a kept one included, says nothing of what was revoked in between.
 */
export async function verifyOrAsk(
  verifier: LocalVerifier,
  ask: Ask,
  token: string,
  expected?: Expectations,
): Promise<Verdict | Undecided> {
  const verdict = verifier.verify(token, expected)
  return verdict.status === 'undecided' ? ask(token, expected) : verdict
}
