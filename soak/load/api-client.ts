import { Agent, request } from 'node:http'
import { json } from 'node:stream/consumers'
import type { RunClock } from '../run-clock.ts'

export interface ApiRequest {
  readonly method: 'POST' | 'PUT'
  /** Behind `/api/v1`. */
  readonly path: string
  readonly businessId?: string
  /** The member that the operator acts for. */
  readonly userEmail?: string
  readonly body?: object
}

export interface ApiAnswer {
  readonly status: number
  /** When the head of the answer had arrived, in nanoseconds since the run began. */
  readonly arrivedNs: number
  // biome-ignore lint/suspicious/noExplicitAny: answers are of every shape, and belong to the service under test.
  readonly json: any
}

/** The operator's way into the API, past every proxy. Each request goes to the next service. */
export class ApiClient {
  readonly #urls: readonly string[]
  readonly #operatorToken: string
  readonly #clock: RunClock
  readonly #agent = new Agent({ keepAlive: true })

  #sent = 0

  constructor(urls: readonly string[], operatorToken: string, clock: RunClock) {
    this.#urls = urls
    this.#operatorToken = operatorToken
    this.#clock = clock
  }

  /**
   * Rejects when no whole answer comes.
   *
   * @param hangUp ends the request before that
   */
  send({ method, path, businessId, userEmail, body }: ApiRequest, hangUp?: AbortSignal): Promise<ApiAnswer> {
    const text = body === undefined ? '' : JSON.stringify(body)
    const { promise, resolve, reject } = Promise.withResolvers<ApiAnswer>()
    const url = this.#urls[this.#sent++ % this.#urls.length]
    const message = request(`${url}/api/v1${path}`, {
      method,
      agent: this.#agent,
      headers: {
        authorization: `Bearer ${this.#operatorToken}`,
        'content-length': Buffer.byteLength(text),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(businessId !== undefined && { 'x-business-id': businessId }),
        ...(userEmail !== undefined && { 'x-user-email': userEmail }),
      },
      ...(hangUp !== undefined && { signal: hangUp }),
    })
    message.on('error', reject)
    message.on('response', (response) => {
      const arrivedNs = this.#clock.nowNs()
      const { statusCode: status = 0 } = response
      json(response).then((parsed) => resolve({ status, arrivedNs, json: parsed }), reject)
    })
    message.end(text)
    return promise
  }

  close(): void {
    this.#agent.destroy()
  }
}
