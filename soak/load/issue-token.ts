import { setTimeout as pause } from 'node:timers/promises'
import type { ApiAnswer, ApiClient, ApiRequest } from './api-client.ts'
import type { Holder } from './holders.ts'

export interface IssuedToken {
  readonly token: string
  readonly id: string
  readonly answeredNs: number
}

const RETRY_MS = 50
/** A service that stands still keeps nobody longer: another one may answer. */
const PATIENCE_MS = 2_500

/** Issues a token, trying again for as long as the service is gone or answers 503. */
export function issueTo(api: ApiClient, { businessId, email }: Holder): Promise<IssuedToken> {
  return issue(api, { method: 'POST', path: '/tokens', businessId, userEmail: email, body: { name: 'Soak' } })
}

/** Issues a token that permits nothing but to follow the service. */
export async function issueFeedToken(api: ApiClient): Promise<string> {
  const body = { name: 'A verifier', scopes: ['feed'] }
  return (await issue(api, { method: 'POST', path: '/tokens', body })).token
}

async function issue(api: ApiClient, request: ApiRequest): Promise<IssuedToken> {
  for (;;) {
    const hangUp = AbortSignal.timeout(PATIENCE_MS)
    const answer = await api.send(request, hangUp).catch((): Pick<ApiAnswer, 'status'> => ({ status: 503 }))
    if (answer.status === 201 && 'json' in answer) {
      const { token, token_info: info } = answer.json.data
      return { token, id: info.id, answeredNs: answer.arrivedNs }
    }
    if (answer.status !== 503) throw new Error(`The service answered ${answer.status} instead of issuing a token`)
    await pause(RETRY_MS)
  }
}
