import type { Verdict as TokenVerdict } from '@rescind/protocol'
import type { Static } from 'typebox'
import { defineRoute, type Route } from '../route.ts'
import { APITokenVerifyRequest, Verdict } from '../schemas.ts'
import type { Services } from '../services.ts'

/** Asking the service itself about a token. */
export function verifyRoute({ access, verify }: Services): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/v1/tokens/verify',
    operationId: 'verify_token_api_v1_tokens_verify_post',
    tag: 'api-tokens',
    summary: 'Verify token',
    description:
      'The verdict on a token, now: its claims, or why it is rejected. A rejected token is an answer, not an error: the status is 200. ' +
      'For a member, and an operator who acts for one, only tokens of the same business are valid.',
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
    errors: ['other_business', 'may_not_decide', 'business_not_found', 'member_not_found'],
    handler: async (call) => {
      const subject = await access.subject(call)
      if ('refused' in subject) return subject
      const { token, business_id, scopes } = call.body
      const own = subject.businessId
      if (own !== null && (business_id ?? own) !== own) return { refused: 'other_business' }
      const businessId = own ?? business_id
      const verdict = verify(token, { ...(businessId && { businessId }), ...(scopes && { scopes }) })
      if (verdict.status === 'undecided') return { refused: 'may_not_decide' }
      return { code: 'TOKEN_VERIFIED', data: presentVerdict(verdict) }
    },
  })
}

/** The claims take the place of the status list reference, which is of no use to whoever asks online. */
function presentVerdict(verdict: TokenVerdict): Static<typeof Verdict> {
  if (verdict.status === 'rejected') return { status: 'rejected', reason: verdict.reason }
  return { ...verdict.token.claims, status: 'valid' }
}
