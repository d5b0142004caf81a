import type { Role } from '../storage/storage.ts'

/** Who is asking, as the token and the database say now. */
export type Principal = MemberPrincipal | OperatorPrincipal

interface TokenHolder {
  /** Id of the token's record: safe to log. */
  readonly tokenId: string
  readonly idx: number
  readonly userId: string
  readonly email: string
  /** What the token may do now: its scopes cut down to what the holder's role allows. */
  readonly scopes: ReadonlySet<string>
}

export interface MemberPrincipal extends TokenHolder {
  readonly kind: 'member'
  readonly businessId: string
  readonly role: Role
}

/** Holder of a token that belongs to no business. */
export interface OperatorPrincipal extends TokenHolder {
  readonly kind: 'operator'
}
