import { grantScopes } from '../../access/grant.ts'
import { reachesEveryone } from '../../access/roles.ts'
import type { Subject } from '../../access/subject.ts'
import type { Reach } from '../../tokens/find-token.ts'
import { defineRoute, type Route } from '../route.ts'
import {
  APITokenCreate,
  APITokenCreateResponse,
  APITokenListQuery,
  APITokenListResponse,
  APITokenResponse,
} from '../schemas.ts'
import type { Services } from '../services.ts'
import { presentToken } from './present.ts'

const TAG = 'api-tokens'
const DEFAULT_EXPIRY_DAYS = 365

/** Issuing tokens and looking at them. */
export function tokenRoutes({ access, tokens, tokenPrefix }: Services): Route[] {
  const createToken = defineRoute({
    method: 'POST',
    path: '/api/v1/tokens',
    operationId: 'create_token_api_v1_tokens_post',
    tag: TAG,
    summary: 'Issue token',
    description:
      'Issues a token to the caller, or to the member an operator acts for. The token is in this one response and stored nowhere. ' +
      'Without `scopes` it may do everything its creator may do.',
    scopes: ['tokens:write'],
    business: 'header',
    body: APITokenCreate,
    success: {
      status: 201,
      description: 'The token, this once, and its record',
      schemaName: 'SuccessEnvelope_APITokenCreateResponse_',
      data: APITokenCreateResponse,
      codes: ['TOKEN_CREATED'],
    },
    errors: ['quota_reached', 'scope_not_held', 'scope_operator_only', 'business_not_found', 'member_not_found'],
    handler: async (call) => {
      const subject = await access.subject(call)
      if ('refused' in subject) return subject
      const { name, description, expires_in_days, scopes } = call.body
      const issued = await tokens.issue(access.writeAs(call), {
        holder: subject,
        name,
        description: description ?? null,
        expiresInDays: expires_in_days ?? DEFAULT_EXPIRY_DAYS,
        grant: (holderRole) => grantScopes(call.principal, holderRole, scopes ?? undefined),
        issuedBy: call.principal.tokenId,
      })
      if ('refused' in issued) return issued
      return {
        code: 'TOKEN_CREATED',
        data: { token: issued.token, token_info: presentToken(issued.record, tokenPrefix) },
      }
    },
  })

  const listTokens = defineRoute({
    method: 'GET',
    path: '/api/v1/tokens',
    operationId: 'list_tokens_api_v1_tokens_get',
    tag: TAG,
    summary: 'List tokens',
    description:
      "Lists the caller's own tokens in the business, page by page; owners and admins may list another member's or everyone's.",
    scopes: ['tokens:read'],
    business: 'header',
    query: APITokenListQuery,
    success: {
      status: 200,
      description: 'One page',
      schemaName: 'SuccessEnvelope_APITokenListResponse_',
      data: APITokenListResponse,
      codes: ['TOKENS_LISTED'],
    },
    errors: ['cursor_invalid', 'role_insufficient', 'business_not_found', 'member_not_found'],
    handler: async (call) => {
      const subject = await access.subject(call)
      if ('refused' in subject) return subject
      const { query } = call
      const userEmail = query.user_email?.toLowerCase() ?? null
      if ((query.all || userEmail !== null) && reachOf(subject) !== 'everyone') return { refused: 'role_insufficient' }
      const holder = userEmail === null ? subject : await access.memberByEmail(subject.businessId ?? '', userEmail)
      if (holder === undefined) return { refused: 'member_not_found' }
      const page = await tokens.list({
        businessId: subject.businessId,
        ...(query.all ? {} : { userId: holder.userId }),
        includeRevoked: query.include_revoked,
        sort: query.sort_by,
        descending: query.descending,
        cursor: query.cursor ?? '',
        direction: query.direction,
        limit: query.limit,
        includeTotal: query.include_total_count,
      })
      if ('refused' in page) return page
      return {
        code: 'TOKENS_LISTED',
        data: {
          items: page.items.map((token) => presentToken(token, tokenPrefix)),
          total: page.total,
          limit: query.limit,
          next_cursor: page.nextCursor,
          prev_cursor: page.prevCursor,
          has_next: page.nextCursor !== null,
          has_prev: page.prevCursor !== null,
        },
      }
    },
  })

  const showToken = defineRoute({
    method: 'GET',
    path: '/api/v1/tokens/{token_id}',
    operationId: 'get_token_api_v1_tokens__token_id__get',
    tag: TAG,
    summary: 'Show token',
    description:
      'One token, by its id or its jti. Owners and admins see every token of the business, others their own.',
    scopes: ['tokens:read'],
    business: 'header',
    success: {
      status: 200,
      description: 'The token',
      schemaName: 'SuccessEnvelope_APITokenResponse_',
      data: APITokenResponse,
      codes: ['TOKEN_FOUND'],
    },
    errors: ['token_not_found', 'business_not_found', 'member_not_found'],
    handler: async (call) => {
      const subject = await access.subject(call)
      if ('refused' in subject) return subject
      const token = await tokens.find(call.params.token_id, subject.businessId, reachOf(subject))
      return 'refused' in token ? token : { code: 'TOKEN_FOUND', data: presentToken(token, tokenPrefix) }
    },
  })

  return [createToken, listTokens, showToken]
}

/** Whose tokens the subject reaches. */
export function reachOf(subject: Subject): Reach {
  return subject.role !== null && reachesEveryone(subject.role) ? 'everyone' : { userId: subject.userId }
}
