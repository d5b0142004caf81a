import type { Reads, Role } from '../storage/storage.ts'
import type { Refused } from '../storage/write.ts'
import type { Principal } from './principal.ts'

/** Whose tokens a request is about, and in whose name it acts: the caller, or the member an operator acts for. */
export interface Subject {
  /** `null` when an operator acts for itself. */
  readonly businessId: string | null
  readonly userId: string
  readonly email: string
  /** `null` when an operator acts for itself. */
  readonly role: Role | null
}

/**
 * @param businessId the selected business
 * @param claimedEmail `x-user-email`; only an operator's is believed
 */
export async function resolveSubject(
  read: Pick<Reads, 'business' | 'memberByEmail'>,
  principal: Principal,
  businessId: string | null,
  claimedEmail: string | null,
): Promise<Subject | Refused> {
  if (principal.kind === 'member') return principal
  if (claimedEmail === null) return { businessId: null, userId: principal.userId, email: principal.email, role: null }
  if (businessId === null) return { refused: 'business_header_missing' }
  if ((await read.business(businessId)) === undefined) return { refused: 'business_not_found' }
  return (await read.memberByEmail(businessId, claimedEmail)) ?? { refused: 'member_not_found' }
}
