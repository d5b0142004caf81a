import type { Actor, Installation } from './storage/storage.ts'

/** In whose name somebody acts who holds the database itself, and no token. */
export function offlineActor({ operatorUserId, operatorEmail }: Installation): Actor {
  return { requestId: 'offline', tokenId: null, userId: operatorUserId, email: operatorEmail, claimedEmail: null }
}
