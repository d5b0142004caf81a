import type { Clock } from '@rescind/protocol'
import type { Business } from '../storage/storage.ts'
import type { Refused, Write } from '../storage/write.ts'

export type { Business }

/** Creates a business or changes its name. */
export function saveBusiness(
  deps: { readonly clock: Clock },
  write: Write,
  { id, name }: Pick<Business, 'id' | 'name'>,
): Promise<Business | Refused> {
  return write(async (tx, audit) => {
    const createdAtMs = (await tx.business(id))?.createdAtMs ?? deps.clock.nowMs()
    const business = { id, name, createdAtMs }
    await tx.upsertBusiness(business)
    await audit('business.saved', { businessId: id, id })
    return business
  })
}
