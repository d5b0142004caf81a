import { machineMs } from '../machine-ms.ts'
import type { RevocationAnswer } from '../model/demo-event.ts'
import type { ServiceProcess } from './service-process.ts'

export interface IssuedToken {
  readonly id: string
  readonly token: string
}

/** The calls of the API that the demo makes. Each throws when the answer is not a 201. */
export class ServiceClient {
  readonly #service: ServiceProcess

  constructor(service: ServiceProcess) {
    this.#service = service
  }

  /** Issues a token that lets a verifier follow the service, and nothing else. */
  issueFeedToken(): Promise<IssuedToken> {
    return this.#issue(
      { authorization: `Bearer ${this.#service.operatorToken}` },
      { name: 'A verifier', scopes: ['feed'] },
    )
  }

  /** Issues a token as a user of an application holds it. */
  issueToken(): Promise<IssuedToken> {
    return this.#issue(this.#asOwner(), { name: 'A token' })
  }

  /** Revokes a token. `answeredMs` is when the head of the answer had arrived, by {@link machineMs}. */
  async revoke(id: string): Promise<{ readonly answeredMs: number; readonly answer: RevocationAnswer }> {
    const response = await this.#post(`/${id}/revoke`, this.#asOwner(), {})
    const answeredMs = machineMs()
    await response.arrayBuffer()
    const count = (name: string) => Number(response.headers.get(name))
    return { answeredMs, answer: { applied: count('rescind-applied'), waitedOut: count('rescind-waited-out') } }
  }

  async #issue(headers: Record<string, string>, body: object): Promise<IssuedToken> {
    const response = await this.#post('', headers, body)
    const { data } = (await response.json()) as {
      readonly data: { readonly token: string; readonly token_info: { readonly id: string } }
    }
    return { id: data.token_info.id, token: data.token }
  }

  async #post(path: string, headers: Record<string, string>, body: object): Promise<Response> {
    const response = await fetch(`${this.#service.url}/api/v1/tokens${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
    if (response.status === 201) return response
    throw new Error(`The service answered ${response.status} to POST /api/v1/tokens${path}`)
  }

  #asOwner(): Record<string, string> {
    const { ownerToken, businessId } = this.#service
    return { authorization: `Bearer ${ownerToken}`, 'x-business-id': businessId }
  }
}
