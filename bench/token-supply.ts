import { drive } from './load/drive.ts'
import { cycle } from './load/next-request.ts'
import { requestBytes } from './load/request-bytes.ts'
import { issuedToken, issueRequest, type Population } from './population.ts'
import type { RescindProcess } from './servers/rescind-process.ts'

const ISSUING_CLIENTS = 32

/** Ids of tokens that are not revoked yet, each handed out once. */
export class TokenSupply {
  readonly #rescind: RescindProcess
  readonly #nextRequest: () => Buffer | undefined
  #ids: string[] = []

  constructor(rescind: RescindProcess, { memberTokens }: Population) {
    const { businessId } = rescind
    this.#rescind = rescind
    this.#nextRequest = cycle(memberTokens.map((token) => requestBytes(issueRequest({ token, businessId }))))
  }

  /** The next request that issues a token; its answer is for {@link add}. */
  nextRequest(): Buffer | undefined {
    return this.#nextRequest()
  }

  add(issued: Buffer): void {
    this.#ids.push(issuedToken(issued).id)
  }

  /** Issues what is missing. */
  async take(count: number): Promise<string[]> {
    let missing = count - this.#ids.length
    if (missing > 0) {
      await drive({
        port: this.#rescind.port,
        clients: ISSUING_CLIENTS,
        next: () => (missing-- > 0 ? this.#nextRequest() : undefined),
        durationMs: Number.POSITIVE_INFINITY,
        expectedStatus: 201,
        onBody: (body) => this.add(body),
      })
    }
    return this.#ids.splice(0, count)
  }
}
