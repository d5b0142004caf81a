import { drive } from './load/drive.ts'
import { cycle } from './load/next-request.ts'
import { requestBytes } from './load/request-bytes.ts'
import { type IssuedToken, issuedToken, issueRequest, type Population } from './population.ts'
import type { RescindService } from './servers/rescind-process.ts'

const ISSUING_CLIENTS = 32

/** Tokens that are not revoked yet, each handed out once. */
export class TokenSupply {
  readonly #rescind: RescindService
  readonly #nextRequest: () => Buffer | undefined
  #tokens: IssuedToken[] = []

  constructor(rescind: RescindService, { memberTokens }: Population) {
    const { businessId } = rescind
    this.#rescind = rescind
    this.#nextRequest = cycle(memberTokens.map((token) => requestBytes(issueRequest({ token, businessId }))))
  }

  /** The next request that issues a token; its answer is for {@link add}. */
  nextRequest(): Buffer | undefined {
    return this.#nextRequest()
  }

  add(issued: Buffer): void {
    this.#tokens.push(issuedToken(issued))
  }

  /** Takes back what was handed out and not revoked. */
  putBack(tokens: readonly IssuedToken[]): void {
    this.#tokens.push(...tokens)
  }

  /** Issues what is missing. */
  async take(count: number): Promise<IssuedToken[]> {
    let missing = count - this.#tokens.length
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
    return this.#tokens.splice(0, count)
  }
}
