import type { RejectionReason, Verdict } from '@rescind/protocol'

export type Rejected = Extract<Verdict, { status: 'rejected' }>

/** @param tokenId id of the token's record, once its signature was found good */
export function reject(reason: RejectionReason, tokenId?: string): Rejected {
  return tokenId === undefined ? { status: 'rejected', reason } : { status: 'rejected', reason, tokenId }
}
