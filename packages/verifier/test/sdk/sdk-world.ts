import { once } from 'node:events'
import type { Config } from '../../../server/config.ts'
import { feedToken } from '../../../server/test/feed/attached.ts'
import { addMember, type Holder, type Issued, issued, issueTo } from '../../../server/test/service/provisioning.ts'
import { type RunningService, runService } from '../../../server/test/service/running-service.ts'
import { openFeedSocket } from '../../core/index.ts'
import { THIS_PROCESS } from '../../environment.ts'
import {
  createVerifier,
  type Environment,
  type Verifier,
  type VerifierEvents,
  type VerifierOptions,
} from '../../index.ts'

/** Whatever runs a function when it ends. */
interface Lifetime {
  after(end: () => Promise<unknown>): void
}

/** A service, and verifiers of it whose clocks, connections and questions are in the hands of the test. */
export class SdkWorld {
  readonly #lifetime: Lifetime
  #holder: Promise<Holder> | undefined
  readonly feedToken: string
  service: RunningService
  /** What the clocks of the verifiers are ahead. */
  aheadMs = 0
  /** How many questions were put over HTTP. */
  questions = 0

  constructor(lifetime: Lifetime, service: RunningService, token: string) {
    this.#lifetime = lifetime
    this.service = service
    this.feedToken = token
  }

  /** A clock that jumps shows at use: whatever the verifier holds has lapsed then. */
  lapse(): void {
    this.aheadMs += 60_000
  }

  environment(): Environment {
    return {
      ...THIS_PROCESS,
      clocks: {
        nowMs: () => Date.now() + this.aheadMs,
        monotonicMs: () => performance.now() + this.aheadMs,
      },
      fetch: (input, init) => {
        this.questions += 1
        return fetch(String(input).replace(/^http:\/\/[^/]*/, this.service.url), init)
      },
      // Wherever the service is now.
      connect: (_url, token, listener) => openFeedSocket(this.service.url, token, listener),
    }
  }

  async verifier(options: Partial<VerifierOptions> = {}): Promise<Verifier> {
    const verifier = await createVerifier({
      url: this.service.url,
      token: this.feedToken,
      environment: this.environment(),
      ...options,
    })
    this.#lifetime.after(() => verifier.close())
    return verifier
  }

  /** A token of a member, with the scopes of an application too if they are given. */
  async token(fields: object = {}): Promise<Issued> {
    this.#holder ??= addMember(this.service, 'member')
    return issueTo(this.service, await this.#holder, fields)
  }

  /** A token of the operator itself, with the scopes that only operators grant. */
  async operatorToken(fields: object): Promise<Issued> {
    const { call, operatorToken } = this.service
    const json = { name: 'an operator token', ...fields }
    return issued(await call('POST', '/api/v1/tokens', { token: operatorToken, business: null, json }))
  }

  async revoke({ id }: Pick<Issued, 'id'>, token?: string): Promise<Headers> {
    const business = token === undefined ? {} : { token, business: null }
    const { status, headers, text } = await this.service.call('POST', `/api/v1/tokens/${id}/revoke`, business)
    if (status !== 201) throw new Error(`Revoking answered ${status}: ${text}`)
    return headers
  }
}

/** The service runs, and stops, with the test. */
export async function sdkWorld(t: Lifetime, changes: Partial<Config> = {}): Promise<SdkWorld> {
  const service = await runService(t, { maxActiveTokens: 100, ...changes })
  return new SdkWorld(t, service, (await feedToken(service)).token)
}

/** What a verifier tells of next. */
export async function next<Name extends keyof VerifierEvents>(
  verifier: Verifier,
  name: Name,
): Promise<VerifierEvents[Name]> {
  return (await once(verifier, name)) as VerifierEvents[Name]
}
