import { isIdentity, isUuid, MAX_TOKEN_LENGTH, REJECTION_REASONS, readToken } from '@rescind/protocol'
import { type Expectations, unmetExpectation } from './core/index.ts'
import { type Credential, isHeaderValue } from './credential.ts'
import type { Environment } from './environment.ts'
import type { UndecidedReason, Verdict } from './verdict.ts'
import { VerifierError, type VerifierErrorCode } from './verifier-error.ts'

interface Deps {
  readonly url: string
  readonly credential: Credential
  readonly environment: Pick<Environment, 'fetch' | 'timers'>
  /** How long an answer may take. */
  readonly timeoutMs: number
}

/** More would only pile up while the service does not answer. */
const MAX_OPEN_QUESTIONS = 256

const VERIFY_PATH = '/api/v1/tokens/verify'

/** The service, over HTTP. */
export class Service {
  readonly #deps: Deps
  /** One for each request that is under way. */
  readonly #open = new Set<AbortController>()
  #asked = 0
  #isClosed = false

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Questions that were put so far. */
  get asked(): number {
    return this.#asked
  }

  /**
   * Asks for the verdict on a token. Never rejects. The answer is about the moment the question was put, so it must not
   * be used for anything that began later.
   */
  async ask(token: unknown, expected: Expectations = {}): Promise<Verdict> {
    // No token, whatever else it is, and so asked of no one.
    if (!isHeaderValue(token) || token.length > MAX_TOKEN_LENGTH) return MALFORMED
    if (this.#open.size >= MAX_OPEN_QUESTIONS) return undecided('overloaded')
    this.#asked += 1
    try {
      const verdict = await this.#post(VERIFY_PATH, this.#question(token, expected), readVerdict)
      if (verdict.status !== 'valid') return verdict
      const unmet = unmetExpectation(verdict.token, expected)
      return unmet === undefined ? verdict : { status: 'rejected', reason: unmet, tokenId: verdict.token.id }
    } catch {
      return undecided(this.#isClosed ? 'closed' : 'unreachable')
    }
  }

  /** Ends every request; what is under way is not answered any more. */
  close(): void {
    this.#isClosed = true
    for (const controller of this.#open) controller.abort()
  }

  /** What keeps the service from answering questions; `undefined` when nothing does. */
  async examine(): Promise<VerifierError | undefined> {
    const { url } = this.#deps
    try {
      return await this.#post(VERIFY_PATH, { token: 'none' }, async (response) => {
        await response.body?.cancel()
        return response.status === 200 ? undefined : answeredWith(url, response.status)
      })
    } catch (fault) {
      return fault instanceof VerifierError ? fault : unreachable(url, fault)
    }
  }

  /** A question that did not get through may be repeated: it changes nothing, and it is put after the verification began. */
  async #post<T>(path: string, body: object, read: (response: Response) => Promise<T>): Promise<T> {
    const { environment, timeoutMs } = this.#deps
    const controller = new AbortController()
    const cancel = environment.timers.after(timeoutMs, () => controller.abort())
    this.#open.add(controller)
    const request = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: controller.signal,
    }
    try {
      return await read(
        await this.#request(path, request).catch((error: unknown) => {
          if (error instanceof VerifierError || controller.signal.aborted) throw error
          // Most often a connection that was kept open, and closed at the other end just now.
          return this.#request(path, request)
        }),
      )
    } finally {
      cancel()
      this.#open.delete(controller)
    }
  }

  async #request(path: string, { headers, ...init }: RequestInit): Promise<Response> {
    const { url, credential, environment } = this.#deps
    const token = await credential.current()
    return environment.fetch(url + path, {
      ...init,
      headers: {
        ...headers,
        authorization: `Bearer ${token}`,
        ...(credential.businessId !== undefined && { 'x-business-id': credential.businessId }),
      },
      // A token is for the service alone, wherever that points to.
      redirect: 'manual',
    })
  }

  /** Scopes are compared here: the answer is the same, and what a caller made up cannot spoil the question. */
  #question(token: string, expected: Expectations): object {
    // The token of a member asks about tokens of its business only, whatever is expected.
    const isFree = this.#deps.credential.businessId === undefined
    const selected = expectedBusiness(expected)
    return { token, ...(isFree && isUuid(selected) && { business_id: selected }) }
  }
}

function expectedBusiness(expected: Expectations): string | undefined {
  try {
    return expected.businessId?.toLowerCase()
  } catch {
    // What it is instead is met by no token.
    return undefined
  }
}

const MALFORMED: Verdict = Object.freeze({ status: 'rejected', reason: 'malformed' })

function undecided(reason: UndecidedReason): Verdict {
  return { status: 'undecided', reason }
}

async function readVerdict(response: Response): Promise<Verdict> {
  if (response.status !== 200) {
    await response.body?.cancel()
    return undecided(response.status === 401 || response.status === 403 ? 'refused' : 'unavailable')
  }
  const { data } = (await response.json()) as {
    readonly data?: { readonly status?: unknown; readonly reason?: unknown }
  }
  const reason = REJECTION_REASONS.find((each) => each === data?.reason)
  if (data?.status === 'rejected' && reason !== undefined) return { status: 'rejected', reason }
  if (data?.status === 'valid' && isIdentity(data)) return { status: 'valid', token: readToken(data) }
  return undecided('unavailable')
}

/** What it means that something at `url` answered with a status that does not belong there. */
export function answeredWith(url: string, status: number): VerifierError {
  return new VerifierError(codeOf(status), `${url} answered ${status}`)
}

/** @param cause what was thrown when nothing answered */
export function unreachable(url: string, cause: unknown): VerifierError {
  return new VerifierError('unreachable', url, { cause })
}

function codeOf(status: number): VerifierErrorCode {
  if (status === 401) return 'credential_refused'
  if (status === 403) return 'scope_missing'
  // The service takes nothing but WebSocket at its feed: whoever stands in front of it did not pass the upgrade on.
  if (status === 426) return 'websocket_blocked'
  return status === 429 || status >= 500 ? 'not_ready' : 'wrong_url'
}
