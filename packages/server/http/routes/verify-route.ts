import type { Static } from 'typebox'
import type { ServiceVerdict } from '../../access/check-token.ts'
import { defineRoute, type Route } from '../route.ts'
import { APITokenVerifyRequest, Verdict } from '../schemas.ts'
import type { Services } from '../services.ts'

/** Asking the service itself about a token. */
export function verifyRoute({ access, checkToken }: Services): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/v1/tokens/verify',
    operationId: 'verify_token_api_v1_tokens_verify_post',
    tag: 'api-tokens',
    summary: 'Verify token',
    description:
      'The verdict on a token, now: its claims, or why it is rejected. A rejected token is an answer, not an error: the status is 200. ' +
      'Only tokens of the selected business are valid; an operator may select none and ask about tokens of any.',
    scopes: ['introspect', 'feed'],
    business: 'header',
    body: APITokenVerifyRequest,
    success: {
      status: 200,
      description: 'The verdict',
      schemaName: 'SuccessEnvelope_Verdict_',
      data: Verdict,
      codes: ['TOKEN_VERIFIED'],
    },
    errors: ['business_not_found', 'member_not_found'],
    handler: async (call) => {
      const subject = await access.subject(call)
      if ('refused' in subject) return subject
      const { token, business_id, scopes } = call.body
      const selected = call.businessId ?? business_id
      if ((business_id ?? selected) !== selected) return { refused: 'other_business' }
      const verdict = await checkToken(token, { ...(selected && { businessId: selected }), ...(scopes && { scopes }) })
      if (verdict.status === 'undecided') return { refused: 'may_not_decide' }
      return { code: 'TOKEN_VERIFIED', data: presentVerdict(verdict) }
    },
  })
}

/** The verdict takes the name that the reference to the status list has among the claims; whoever asks online needs no list. */
function presentVerdict(verdict: Exclude<ServiceVerdict, { status: 'undecided' }>): Static<typeof Verdict> {
  if (verdict.status === 'rejected') return { status: 'rejected', reason: verdict.reason }
  return { ...verdict.token.claims, status: 'valid' }
}
