import { type Clock, statusListUri, type TokenClaims, Unavailable } from '@rescind/protocol'
import type { Installation, NewToken, Role, TokenRecord } from '../storage/storage.ts'
import type { Refused, Write } from '../storage/write.ts'
import type { SigningKey } from './signing-key.ts'
import { signClaims } from './signing-key.ts'

const DAY_MS = 86_400_000

export interface IssueDeps {
  readonly installation: Installation
  readonly clock: Clock
  /** A new UUID v7. */
  readonly newId: () => string
  /** A new UUID v4. */
  readonly newJti: () => string
  /** The key that signs new tokens now. */
  readonly signingKey: () => SigningKey
  /** Most active tokens of one member in one business. */
  readonly maxActiveTokens: number
}

export interface IssueRequest {
  /** Who will hold the token; without a business it is an operator's own. */
  readonly holder: { readonly businessId: string | null; readonly userId: string }
  readonly name: string
  readonly description: string | null
  readonly expiresInDays: number
  /** Decides the scopes from the role the holder has when the token is written; `null` for an operator. */
  readonly grant: (holderRole: Role | null) => { readonly scopes: readonly string[] } | Refused
  /** Id of the token that asks for it. */
  readonly issuedBy: string | null
}

/** `token` is the secret: shown once, stored nowhere. */
export type IssueOutcome = { readonly token: string; readonly record: TokenRecord } | Refused

/** Issues a token. It is signed after its record is durable, so no token exists that the service does not know. */
export async function issueToken(deps: IssueDeps, write: Write, request: IssueRequest): Promise<IssueOutcome> {
  const outcome = await write<{ record: NewToken; key: SigningKey; epoch: string } | Refused>(async (tx, audit) => {
    const { businessId, userId } = request.holder
    const key = deps.signingKey()
    await tx.lockHolder({ businessId, userId, kid: key.jwk.kid })
    const nowMs = deps.clock.nowMs()
    // Asked at once: none waits for the answer of another.
    const [stored, member, activeTokens] = await Promise.all([
      tx.signingKey(key.jwk.kid),
      businessId === null ? null : tx.member(businessId, userId),
      businessId === null ? 0 : tx.countActiveTokens(businessId, userId, nowMs),
    ])
    if (stored?.retiredAtMs !== null) throw new Unavailable('may_not_decide')
    if (member === undefined) return { refused: 'member_not_found' }
    const grant = request.grant(member?.role ?? null)
    if ('refused' in grant) return grant
    if (businessId !== null && activeTokens >= deps.maxActiveTokens) return { refused: 'quota_reached' }

    const createdAtMs = nowMs - (nowMs % 1000)
    const record: NewToken = {
      id: deps.newId(),
      jti: deps.newJti(),
      idx: await tx.takeIdx(),
      businessId,
      userId,
      kid: key.jwk.kid,
      name: request.name,
      description: request.description,
      scopes: grant.scopes,
      createdAtMs,
      expiresAtMs: createdAtMs + request.expiresInDays * DAY_MS,
      issuedBy: request.issuedBy,
    }
    await tx.insertToken(record)
    await audit('token.issued', { businessId, id: record.id })
    // The epoch that the index was given out in: nobody opens another one until this transaction has ended.
    const { epoch } = await tx.head()
    return { record, key, epoch }
  })
  if ('refused' in outcome) return outcome
  const { record, key, epoch } = outcome
  const { issuer, tokenPrefix } = deps.installation
  const token = tokenPrefix + signClaims(key, claimsOf(record, issuer, epoch))
  return { token, record: { ...record, lastUsedAtMs: null, revocation: null } }
}

function claimsOf(record: NewToken, issuer: string, epoch: string): TokenClaims {
  return {
    iss: issuer,
    sub: record.userId,
    aud: issuer,
    client_id: record.id,
    jti: record.jti,
    iat: record.createdAtMs / 1000,
    exp: record.expiresAtMs / 1000,
    scope: record.scopes.join(' '),
    ...(record.businessId === null ? {} : { business_id: record.businessId }),
    type: 'api',
    status: { status_list: { idx: record.idx, uri: statusListUri(epoch) } },
  }
}
