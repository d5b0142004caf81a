import { type EntryBody, isUuid, type VerifiedToken } from '@rescind/protocol'
import { Bitmap, type BitmapPage } from './bitmap.ts'

/** What a set says about more than one token. */
export type BulkEntry = Exclude<EntryBody, { readonly kind: 'token_revoked' | 'key_added' | 'epoch_opened' }>

/**
 * Everything the applied part of the log revokes. It only grows: whatever is covered once stays covered, in whatever
 * order and however often entries are applied. `covers` takes constant time.
 */
export class RevocationSet {
  readonly #tokens = new Bitmap()
  /** Cut-offs: tokens whose `idx` is below are revoked. */
  readonly #businesses = new Map<string, number>()
  /** Business id, then user id. Nested, so that a lookup builds no string. */
  readonly #members = new Map<string, Map<string, number>>()
  readonly #retiredKeys = new Set<string>()

  covers({ claims, kid }: VerifiedToken): boolean {
    const { idx } = claims.status.status_list
    if (this.#tokens.has(idx) || this.#retiredKeys.has(kid)) return true
    // An operator's token belongs to no business, so no cut-off of a business or a member reaches it.
    const businessId = claims.business_id
    if (businessId === undefined) return false
    return (
      isBelow(idx, this.#businesses.get(businessId)) || isBelow(idx, this.#members.get(businessId)?.get(claims.sub))
    )
  }

  /** @throws TypeError or RangeError, changing nothing, when the entry could not take effect as it stands. Passing over it could pass over a revocation. */
  apply(body: EntryBody): void {
    switch (body.kind) {
      case 'token_revoked':
        this.#tokens.add(body.idx)
        break
      case 'business_revoked':
        raise(this.#businesses, uuid(body.businessId), body.beforeIdx)
        break
      case 'member_revoked':
        this.#revokeMember(uuid(body.businessId), uuid(body.userId), body.beforeIdx)
        break
      case 'key_retired':
        this.#retiredKeys.add(body.kid)
        break
      case 'key_added':
      case 'epoch_opened':
        break
      default:
        body satisfies never
        throw new TypeError('An entry of unknown kind cannot be applied')
    }
  }

  /** The fewest entries that say the same, in no particular order, but for those of single tokens: those are the {@link pages}. */
  bulkEntries(): readonly BulkEntry[] {
    return [
      ...[...this.#retiredKeys].map((kid) => ({ kind: 'key_retired', kid }) as const),
      ...[...this.#businesses].map(
        ([businessId, beforeIdx]) => ({ kind: 'business_revoked', businessId, beforeIdx }) as const,
      ),
      ...[...this.#members].flatMap(([businessId, members]) =>
        [...members].map(([userId, beforeIdx]) => ({ kind: 'member_revoked', businessId, userId, beforeIdx }) as const),
      ),
    ]
  }

  /** The indexes of the tokens that were revoked one by one. */
  pages(): readonly BitmapPage[] {
    return this.#tokens.pages()
  }

  /** Revokes every token whose index is in the page. */
  applyPage(page: BitmapPage): void {
    this.#tokens.addPage(page)
  }

  #revokeMember(businessId: string, userId: string, beforeIdx: number): void {
    const members = this.#members.get(businessId) ?? new Map<string, number>()
    raise(members, userId, beforeIdx)
    this.#members.set(businessId, members)
  }
}

function isBelow(idx: number, cutOff: number | undefined): boolean {
  return cutOff !== undefined && idx < cutOff
}

/** Keeps the largest cut-off: a smaller one must never bring tokens back. */
function raise(cutOffs: Map<string, number>, subject: string, beforeIdx: number): void {
  if (!Number.isSafeInteger(beforeIdx) || beforeIdx < 0) throw new RangeError(`${beforeIdx} is not a cut-off`)
  cutOffs.set(subject, Math.max(beforeIdx, cutOffs.get(subject) ?? 0))
}

/** In any other spelling than that of the claims, an id would match no token. */
function uuid(id: string): string {
  if (!isUuid(id)) throw new TypeError('A bulk entry must name its subject by lower-case UUID')
  return id
}
