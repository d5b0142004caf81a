import { bearerToken, type Token } from '@rescind/protocol'
import { type Expectations, unmetExpectation } from '../core/index.ts'
import type { Verdict } from '../verdict.ts'
import type { Verifier } from '../verifier.ts'
import { type Answer, answerTo } from './answer.ts'
import type { Refusal, RefusalReason } from './refusal.ts'
import { checkRequirements, type Requirements } from './requirements.ts'

/** Whose request it is, or what it is to be answered with. */
export type Admission = { readonly token: Token } | { readonly answer: Answer }

/** What no token belongs to. */
const NO_BUSINESS = ''

/**
 * Decides on requests, whatever framework they came through: first whether the token is good (401), then whether it is
 * of the business (403), then whether it carries the scopes (403).
 *
 * @returns a function from the values of all `Authorization` headers of a request. It rejects, always with an `Error`,
 *   when something of the application fails
 * @throws TypeError when there is no such requirement
 */
export function createGuard<Request>(
  verifier: Pick<Verifier, 'verify'>,
  requirements: Requirements<Request>,
): (authorization: readonly string[], request: Request) => Promise<Admission> {
  checkRequirements(requirements)
  const { businessId, scopes, onRefused } = requirements
  const demanded: Expectations = 'scopes' in requirements ? ({ scopes } as Expectations) : {}
  const demandsBusiness = 'businessId' in requirements

  async function decide(authorization: readonly string[], request: Request): Promise<Token | Refusal> {
    const missing = missingCredential(authorization)
    if (missing !== undefined) return { status: 401, reason: missing }
    const verdict = await verifier.verify(authorization[0])
    if (verdict.status !== 'valid') return refusalOf(verdict)
    const { token } = verdict
    const expected = demandsBusiness ? { ...demanded, businessId: await namedBusiness(businessId, request) } : demanded
    const unmet = unmetExpectation(token, expected)
    return unmet === undefined ? token : { status: 403, reason: unmet, tokenId: token.id }
  }

  return async (authorization, request) => {
    try {
      const outcome = await decide(authorization, request)
      if (!('reason' in outcome)) return { token: outcome }
      const answer = answerTo(outcome)
      await onRefused?.(outcome, request)
      return { answer }
    } catch (thrown) {
      throw asError(thrown)
    }
  }
}

/** What keeps a request from having one bearer token. A token without a scheme is none, as it is to the service. */
function missingCredential(authorization: readonly string[]): RefusalReason | undefined {
  const [header = ''] = authorization
  if (authorization.length > 1) return 'several_credentials'
  if (header === '') return 'no_credential'
  return bearerToken(header) === undefined ? 'not_bearer' : undefined
}

function refusalOf(verdict: Exclude<Verdict, { status: 'valid' }>): Refusal {
  const { reason } = verdict
  if (verdict.status === 'undecided') return { status: 503, reason }
  // A verifier that had to ask may hear that its own credential does not reach the business of the token.
  const isGood = reason === 'wrong_business' || reason === 'insufficient_scope'
  const { tokenId } = verdict
  return { status: isGood ? 403 : 401, reason, ...(tokenId !== undefined && { tokenId }) }
}

async function namedBusiness<Request>(
  businessId: Requirements<Request>['businessId'],
  request: Request,
): Promise<string> {
  const named = typeof businessId === 'function' ? await businessId(request) : businessId
  return typeof named === 'string' ? named : NO_BUSINESS
}

/** Frameworks take what is thrown for "go on" when it is nothing, or a word like `route`. */
function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error('A function given to protect() threw', { cause: thrown })
}
