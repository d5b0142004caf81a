import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { ApiClient, ApiRequest } from './api-client.ts'

const RETRY_MS = 50

/** A member of a business, who holds tokens. */
export interface Holder {
  readonly businessId: string
  readonly memberId: string
  readonly email: string
}

/** Makes businesses with members in them. */
export async function createHolders(api: ApiClient, businesses: number, membersEach: number): Promise<Holder[]> {
  const holders: Holder[] = []
  for (let business = 0; business < businesses; business += 1) {
    const businessId = randomUUID()
    await put(api, { path: `/businesses/${businessId}`, body: { name: 'A business' } })
    for (let member = 0; member < membersEach; member += 1) {
      const memberId = randomUUID()
      const email = `${memberId}@soak.example`
      const path = `/businesses/${businessId}/members/${memberId}`
      await put(api, { path, body: { email, role: 'member' } })
      holders.push({ businessId, memberId, email })
    }
  }
  return holders
}

/** Tries again for as long as the service answers 503. */
async function put(api: ApiClient, request: Omit<ApiRequest, 'method'>): Promise<void> {
  for (;;) {
    const { status } = await api.send({ method: 'PUT', ...request })
    if (status === 200) return
    if (status !== 503) throw new Error(`The service answered ${status} to ${request.path}`)
    await pause(RETRY_MS)
  }
}
