import type { TenantTarget } from '../../revocations/revoke-all.ts'
import type { Revocation } from '../../revocations/revoke-token.ts'
import { type Answer, type Call, defineRoute, type Route } from '../route.ts'
import { APITokenRevokeRequest, APITokenRevokeResponse, BulkRevokeRequest, BulkRevokeResponse } from '../schemas.ts'
import type { Services } from '../services.ts'
import { instant } from './present.ts'
import { reachOf } from './token-routes.ts'

/** Ending tokens: one, a member's, a business's. Each answer means that the revocation is in force everywhere. */
export function revokeRoutes({ access, revocations }: Services): Route[] {
  const revokeToken = defineRoute({
    method: 'POST',
    path: '/api/v1/tokens/{token_id}/revoke',
    operationId: 'revoke_token_api_v1_tokens__token_id__revoke_post',
    tag: 'api-tokens',
    summary: 'Revoke token',
    description:
      'Ends a token, named by its id or its jti, for good. When this answers 201, every verification that begins afterwards, anywhere, rejects the token. ' +
      'Repeating it answers 201 with the data of the first revocation. Nothing un-revokes a token.',
    scopes: ['tokens:write'],
    business: 'header',
    body: APITokenRevokeRequest,
    bodyOptional: true,
    success: {
      status: 201,
      description: 'The token is dead, everywhere, for good',
      schemaName: 'SuccessEnvelope_APITokenRevokeResponse_',
      data: APITokenRevokeResponse,
      codes: ['TOKEN_REVOKED', 'TOKEN_ALREADY_REVOKED'],
      inForce: 'always',
    },
    errors: ['token_not_found', 'not_your_token', 'business_not_found', 'member_not_found'],
    handler: async (call) => {
      const subject = await access.subject(call)
      if ('refused' in subject) return subject
      const outcome = await revocations.revokeToken(access.writeAs(call), {
        tokenId: call.params.token_id,
        businessId: subject.businessId,
        reach: reachOf(subject),
        by: subject.email,
        reason: call.body?.reason ?? null,
      })
      if ('refused' in outcome) return outcome
      const { token, first, inForce } = outcome
      return {
        code: first ? 'TOKEN_REVOKED' : 'TOKEN_ALREADY_REVOKED',
        data: { id: token.id, jti: token.jti, name: token.name, ...presentRevocation(token.revocation) },
        inForce,
      }
    },
  })

  const bulk = {
    method: 'POST',
    scopes: ['members:write'],
    business: 'path',
    body: BulkRevokeRequest,
    bodyOptional: true,
  } as const
  const success = {
    status: 200,
    description: 'Every token issued until now is dead, everywhere, for good',
    schemaName: 'SuccessEnvelope_BulkRevokeResponse_',
    data: BulkRevokeResponse,
    inForce: 'always',
  } as const

  const revokeBusiness = defineRoute({
    ...bulk,
    path: '/api/v1/businesses/{business_id}/revoke-tokens',
    operationId: 'revoke_business_tokens_api_v1_businesses__business_id__revoke_tokens_post',
    tag: 'businesses',
    summary: 'Revoke all tokens of a business',
    description: 'Ends every token issued in the business until now, the one of this request included.',
    success: { ...success, codes: ['BUSINESS_TOKENS_REVOKED'] },
    errors: ['business_not_found', 'member_not_found'],
    handler: (call) =>
      endAll(call, 'BUSINESS_TOKENS_REVOKED', { kind: 'business', businessId: call.params.business_id }),
  })

  const revokeMember = defineRoute({
    ...bulk,
    path: '/api/v1/businesses/{business_id}/members/{user_id}/revoke-tokens',
    operationId: 'revoke_member_tokens_api_v1_businesses__business_id__members__user_id__revoke_tokens_post',
    tag: 'members',
    summary: 'Revoke all tokens of a member',
    description: 'Ends every token issued to the member until now. Their membership stays.',
    success: { ...success, codes: ['MEMBER_TOKENS_REVOKED'] },
    errors: ['business_not_found', 'member_not_found'],
    handler: (call) =>
      endAll(call, 'MEMBER_TOKENS_REVOKED', {
        kind: 'member',
        businessId: call.params.business_id,
        userId: call.params.user_id,
      }),
  })

  return [revokeToken, revokeBusiness, revokeMember]

  async function endAll(
    call: Call<unknown, { reason?: string | null } | null>,
    code: 'BUSINESS_TOKENS_REVOKED' | 'MEMBER_TOKENS_REVOKED',
    target: TenantTarget,
  ): Promise<Answer<ReturnType<typeof presentRevocation>>> {
    const subject = await access.subject(call)
    if ('refused' in subject) return subject
    const outcome = await revocations.revokeAll(access.writeAs(call), {
      target,
      by: subject.email,
      reason: call.body?.reason ?? null,
    })
    if ('refused' in outcome) return outcome
    return { code, data: presentRevocation(outcome.revocation), inForce: outcome.inForce }
  }
}

function presentRevocation({ atMs, by, reason }: Revocation) {
  return { revoked_at: instant(atMs), revoked_by: by, revocation_reason: reason }
}
