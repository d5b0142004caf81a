import { REJECTION_REASONS, SCOPE_PATTERN, UUID_PATTERN } from '@rescind/protocol'
import { type TSchema, Type } from 'typebox'
import { FreeText } from './decode/free-text.ts'

/** The schemas of the API. Those with a `title` have that name in the OpenAPI document. */

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

const Uuid = Type.String({ format: 'uuid' })
const UuidInput = Type.String({ pattern: UUID_PATTERN.source })
const Instant = Type.String({ format: 'date-time', description: 'RFC 3339, UTC, milliseconds.' })
const Scope = Type.String({
  pattern: SCOPE_PATTERN.source,
  description: 'A management scope or one of the application.',
})
const Scopes = Type.Array(Scope, { maxItems: 64 })
const Reason = FreeText({ maxLength: 500 })
const Email = FreeText({ pattern: '^[^\\s@]+@[^\\s@]+$', minLength: 3, maxLength: 254 })
const Role = Type.Enum(['owner', 'admin', 'member', 'viewer'])
const Algorithm = Type.Enum(['EdDSA', 'ES256'])

export const APITokenCreate = Type.Object(
  {
    name: FreeText({ minLength: 1, maxLength: 255 }),
    description: Type.Optional(nullable(FreeText({ maxLength: 1000 }))),
    expires_in_days: Type.Optional(
      nullable(Type.Integer({ minimum: 1, maximum: 365, description: '365 when absent or null.' })),
    ),
    scopes: Type.Optional(nullable(Scopes)),
  },
  { title: 'APITokenCreate' },
)

export const APITokenResponse = Type.Object(
  {
    id: Uuid,
    jti: Uuid,
    name: Type.String(),
    description: nullable(Type.String()),
    token_prefix: Type.String({ description: 'The token prefix and the first eight digits of the jti.' }),
    token_type: Type.Literal('api'),
    scopes: Type.Array(Type.String()),
    created_at: Instant,
    last_used_at: nullable(Instant),
    expires_at: Instant,
    revoked_at: nullable(Instant),
    revocation_reason: nullable(Type.String()),
  },
  { title: 'APITokenResponse' },
)

export const APITokenCreateResponse = Type.Object(
  {
    token: Type.String({ description: 'The token. Shown in this one response and stored nowhere.' }),
    token_info: APITokenResponse,
  },
  { title: 'APITokenCreateResponse' },
)

export const APITokenListQuery = Type.Object({
  include_revoked: Type.Boolean({ default: false }),
  cursor: Type.Optional(nullable(Type.String({ description: 'Opaque place in the list; empty for the start.' }))),
  limit: Type.Integer({ minimum: 1, maximum: 1000, default: 50 }),
  direction: Type.Enum(['next', 'prev'], { default: 'next' }),
  include_total_count: Type.Boolean({ default: false }),
  sort_by: Type.Enum(['created_at', 'name', 'expires_at', 'last_used_at'], { default: 'created_at' }),
  descending: Type.Boolean({ default: true }),
  user_email: Type.Optional(
    nullable(Type.String({ description: 'Tokens of this member instead; owners and admins only.' })),
  ),
  all: Type.Boolean({ default: false, description: 'Tokens of every member; owners and admins only.' }),
})

export const APITokenListResponse = Type.Object(
  {
    items: Type.Array(APITokenResponse),
    total: nullable(Type.Integer({ description: 'Only with include_total_count.' })),
    limit: Type.Integer(),
    next_cursor: nullable(Type.String()),
    prev_cursor: nullable(Type.String()),
    has_next: Type.Boolean(),
    has_prev: Type.Boolean(),
  },
  { title: 'APITokenListResponse' },
)

export const APITokenRevokeRequest = Type.Object(
  { reason: Type.Optional(nullable(Reason)) },
  { title: 'APITokenRevokeRequest' },
)

export const APITokenRevokeResponse = Type.Object(
  {
    id: Uuid,
    jti: Uuid,
    name: Type.String(),
    revoked_at: Instant,
    revoked_by: nullable(Type.String({ description: 'Email of the member, or of the operator, who revoked it.' })),
    revocation_reason: nullable(Type.String()),
  },
  { title: 'APITokenRevokeResponse' },
)

export const APITokenVerifyRequest = Type.Object(
  {
    token: Type.String({ description: 'The token with its prefix.' }),
    business_id: Type.Optional(nullable(UuidInput)),
    scopes: Type.Optional(nullable(Type.Array(Type.String(), { maxItems: 64 }))),
  },
  { title: 'APITokenVerifyRequest' },
)

const Claims = {
  iss: Type.String(),
  sub: Uuid,
  aud: Type.String(),
  client_id: Uuid,
  jti: Uuid,
  iat: Type.Integer({ description: 'Seconds since the epoch.' }),
  exp: Type.Integer({ description: 'Seconds since the epoch.' }),
  scope: Type.String({ description: 'Space-separated.' }),
  business_id: Type.Optional(Uuid),
  type: Type.Literal('api'),
}

const ValidVerdict = Type.Object({ status: Type.Literal('valid'), ...Claims }, { title: 'ValidVerdict' })

const RejectedVerdict = Type.Object(
  {
    status: Type.Literal('rejected'),
    reason: Type.Enum(REJECTION_REASONS),
  },
  { title: 'RejectedVerdict' },
)

export const Verdict = Type.Union([ValidVerdict, RejectedVerdict], { title: 'Verdict' })

export const BusinessSave = Type.Object({ name: FreeText({ minLength: 1, maxLength: 255 }) }, { title: 'BusinessSave' })

export const BusinessResponse = Type.Object(
  { id: Uuid, name: Type.String(), created_at: Instant },
  { title: 'BusinessResponse' },
)

export const MemberSave = Type.Object({ email: Email, role: Role }, { title: 'MemberSave' })

export const MemberResponse = Type.Object(
  { business_id: Uuid, user_id: Uuid, email: Type.String(), role: Role, created_at: Instant },
  { title: 'MemberResponse' },
)

export const BulkRevokeRequest = Type.Object(
  { reason: Type.Optional(nullable(Reason)) },
  { title: 'BulkRevokeRequest' },
)

export const BulkRevokeResponse = Type.Object(
  { revoked_at: Instant, revoked_by: nullable(Type.String()), revocation_reason: nullable(Type.String()) },
  { title: 'BulkRevokeResponse' },
)

export const SigningKeyRotate = Type.Object({ alg: Type.Optional(nullable(Algorithm)) }, { title: 'SigningKeyRotate' })

export const SigningKeyResponse = Type.Object(
  {
    kid: Type.String({ description: 'RFC 7638 thumbprint.' }),
    alg: Algorithm,
    signing: Type.Boolean({ description: 'New tokens are signed with this key.' }),
    created_at: Instant,
    retired_at: nullable(Instant),
  },
  { title: 'SigningKeyResponse' },
)

export const SigningKeyListResponse = Type.Object(
  { items: Type.Array(SigningKeyResponse) },
  { title: 'SigningKeyListResponse' },
)
