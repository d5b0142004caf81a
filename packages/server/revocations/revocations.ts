import type { Clock } from '@rescind/protocol'
import type { Write } from '../storage/write.ts'
import type { Enforcement } from './enforcement.ts'
import { type RevokeAllOutcome, type RevokeAllRequest, revokeAll } from './revoke-all.ts'
import { type RevokeOutcome, type RevokeRequest, revokeToken } from './revoke-token.ts'

/** Every way the API ends tokens. Each resolves when the revocation is in force everywhere. */
export interface Revocations {
  revokeToken(write: Write, request: RevokeRequest): Promise<RevokeOutcome>
  revokeAll(write: Write, request: RevokeAllRequest): Promise<RevokeAllOutcome>
}

export function createRevocations(deps: { readonly clock: Clock; readonly enforcement: Enforcement }): Revocations {
  return {
    revokeToken: (write, request) => revokeToken(deps, write, request),
    revokeAll: (write, request) => revokeAll(deps, write, request),
  }
}
