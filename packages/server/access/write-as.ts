import type { Clock } from '@rescind/protocol'
import type { Actor, Storage, Transaction } from '../storage/storage.ts'
import type { Audit, Refused, Write } from '../storage/write.ts'
import type { Principal } from './principal.ts'

interface Deps {
  readonly storage: Pick<Storage, 'transact'>
  readonly clock: Clock
  /** A new UUID v7. */
  readonly newId: () => string
}

/** A {@link Write} in the name of `principal`, whose standing is checked again in every transaction. */
export function writeAs(
  deps: Deps,
  principal: Principal,
  request: { readonly requestId: string; readonly claimedEmail: string | null },
): Write {
  const actor: Actor = {
    requestId: request.requestId,
    tokenId: principal.tokenId,
    userId: principal.userId,
    email: principal.email,
    claimedEmail: request.claimedEmail,
  }
  return (unit) =>
    deps.storage.transact(async (tx) => {
      const refused = await standingRefusal(tx, principal)
      return refused ?? unit(tx, auditAs(deps, tx, actor))
    })
}

/** A {@link Write} of the installation itself, where no request and no token is involved. */
export function writeOffline(deps: Deps, actor: Actor): Write {
  return (unit) => deps.storage.transact((tx) => unit(tx, auditAs(deps, tx, actor)))
}

async function standingRefusal(tx: Transaction, principal: Principal): Promise<Refused | undefined> {
  const standing = await tx.standing(principal.idx)
  if (standing === undefined || standing.revoked) return { refused: 'not_authenticated' }
  const role = principal.kind === 'member' ? principal.role : null
  return standing.role === role ? undefined : { refused: 'standing_changed' }
}

function auditAs(deps: Deps, tx: Transaction, actor: Actor): Audit {
  return (action, subject) =>
    tx.insertAuditEvent({
      id: deps.newId(),
      atMs: deps.clock.nowMs(),
      action,
      actor,
      businessId: subject.businessId,
      subjectId: subject.id,
    })
}
