import { leaseEndMs } from '@rescind/protocol'

/**
 * What a node knows of one attached verifier: what it has applied, and which of the leases it was granted may not have
 * ended yet. It counts as attached from its first grant until the last has ended or it said goodbye, whatever becomes
 * of its connection. Times are on the monotonic clock of the node.
 */
export interface Attachment {
  /** Chosen by the service, for one connection. */
  readonly verifierId: string
  /** The ids that the same verifier had on connections before this one, as it says. */
  readonly formerly: readonly string[]
  /** The last entry it acknowledged. */
  readonly appliedSeq: number
  /** Those that have not certainly ended, by ascending `seq`. */
  readonly grants: readonly Grant[]
  readonly isConnected: boolean
}

/** A lease that permits nothing before `seq` was applied, and nothing from `endsMs` on. */
interface Grant {
  readonly seq: number
  readonly endsMs: number
}

/** What the node itself has when it is asked for a lease. */
export interface Grantable {
  /** How much longer the node may decide; zero or less when it may not. */
  readonly leftMs: number
  /** What the node has applied. */
  readonly seq: number
}

export type AttachmentEvent =
  | { readonly type: 'applied'; readonly seq: number }
  | { readonly type: 'renew'; readonly nonce: number; readonly grantable: Grantable }
  /** The verifier has stopped deciding. */
  | { readonly type: 'goodbye' }
  | { readonly type: 'disconnected' }

/** To be sent as it is. */
export interface GrantEffect {
  readonly type: 'grant'
  readonly nonce: number
  readonly leaseMs: number
  readonly seq: number
}

/** More than there are renewals in a lease. A verifier that renews more often, and applies nothing, gets no more until one has ended. */
const MAX_GRANTS = 64

export function newAttachment(verifierId: string, formerly: readonly string[] = []): Attachment {
  return { verifierId, formerly, appliedSeq: 0, grants: [], isConnected: true }
}

/**
 * What an event on one connection means for the former ones of the same verifier; `undefined` when nothing. What it has
 * applied it has applied, and when it has stopped deciding it has, whichever connection its leases came over. That it was
 * granted another one says nothing of those it still holds.
 */
export function ofFormer(event: AttachmentEvent): AttachmentEvent | undefined {
  if (event.type === 'applied' || event.type === 'goodbye') return event
  return undefined
}

/** The next state, and the grant to send if there is one. Pure. */
export function attach(
  attachment: Attachment,
  event: AttachmentEvent,
  nowMs: number,
): { readonly attachment: Attachment; readonly effects: readonly GrantEffect[] } {
  switch (event.type) {
    case 'applied':
      return {
        attachment: withGrants({ ...attachment, appliedSeq: Math.max(attachment.appliedSeq, event.seq) }, nowMs),
        effects: [],
      }
    case 'renew':
      return renew(attachment, event.nonce, event.grantable, nowMs)
    case 'goodbye':
      return { attachment: { ...attachment, grants: [] }, effects: [] }
    case 'disconnected':
      return { attachment: { ...attachment, isConnected: false }, effects: [] }
  }
}

/** Never beyond the node's own lease, and for whoever has applied what the node has. */
function renew(attachment: Attachment, nonce: number, { leftMs, seq }: Grantable, nowMs: number) {
  const leaseMs = Math.floor(leftMs)
  if (leaseMs <= 0) return { attachment, effects: [] }
  const grants = [...attachment.grants, { seq, endsMs: leaseEndMs(nowMs, leaseMs) }]
  const renewed = withGrants({ ...attachment, grants }, nowMs)
  if (renewed.grants.length > MAX_GRANTS) return { attachment, effects: [] }
  const effect: GrantEffect = { type: 'grant', nonce, leaseMs, seq }
  return { attachment: renewed, effects: [effect] }
}

/**
 * Everything up to here has been applied by the verifier, or it cannot decide: a lease is of no use to a holder that has
 * not applied what it names.
 */
export function coveredSeq({ appliedSeq, grants }: Attachment, nowMs: number): number {
  let named = Number.POSITIVE_INFINITY
  for (const grant of grants) if (grant.endsMs > nowMs) named = Math.min(named, grant.seq)
  return Math.max(appliedSeq, named)
}

/** When the verifier can no longer decide without having applied `seq`, if it never applies it: the end of its last lease that names less. */
export function lapseMs({ grants }: Attachment, seq: number): number {
  let endsMs = Number.NEGATIVE_INFINITY
  for (const grant of grants) if (grant.seq < seq) endsMs = Math.max(endsMs, grant.endsMs)
  return endsMs
}

/** Whether nothing depends on the attachment any more. */
export function isOver({ grants, isConnected }: Attachment, nowMs: number): boolean {
  return !isConnected && grants.every(({ endsMs }) => endsMs <= nowMs)
}

/** Keeps of the grants what a wait could still ask for: those that name what was applied count as one. */
function withGrants(attachment: Attachment, nowMs: number): Attachment {
  const kept: Grant[] = []
  for (const grant of attachment.grants) {
    if (grant.endsMs <= nowMs) continue
    const last = kept.at(-1)
    if (last !== undefined && (last.seq === grant.seq || grant.seq <= attachment.appliedSeq)) {
      kept[kept.length - 1] = { seq: grant.seq, endsMs: Math.max(last.endsMs, grant.endsMs) }
    } else kept.push(grant)
  }
  return { ...attachment, grants: kept }
}
