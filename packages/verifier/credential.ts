import { decodeBase64url } from '@rescind/protocol'
import { VerifierError } from './verifier-error.ts'

/** A token, or what hands one out, which may be another one each time. */
export type TokenSource = string | (() => string | Promise<string>)

/** What can be read from a token that is one's own. Nothing is decided by it: the service does that. */
interface OwnClaims {
  readonly iss?: unknown
  readonly iat?: unknown
  readonly exp?: unknown
  readonly business_id?: unknown
}

/** The token a verifier shows to its service. */
export class Credential {
  readonly #source: TokenSource
  #token: string | undefined
  #claims: OwnClaims = {}
  #renewing: Promise<string> | undefined

  constructor(source: TokenSource) {
    this.#source = source
  }

  /** Whether another token may be had by asking again. */
  get isRenewable(): boolean {
    return typeof this.#source === 'function'
  }

  /**
   * The token obtained last; the first time, one is obtained.
   *
   * @throws VerifierError `credential_unavailable`
   */
  async current(): Promise<string> {
    return this.#token ?? this.renew()
  }

  /**
   * Obtains a token. Whoever comes while one is being obtained gets that.
   *
   * @throws VerifierError `credential_unavailable`
   */
  renew(): Promise<string> {
    this.#renewing ??= this.#obtain().finally(() => {
      this.#renewing = undefined
    })
    return this.#renewing
  }

  /** Whether a token has been asked for that has not been given yet. */
  get isAwaited(): boolean {
    return this.#renewing !== undefined
  }

  /** In milliseconds since the epoch; `undefined` when it cannot be read. */
  get expiresAtMs(): number | undefined {
    return millisecondsOf(this.#claims.exp)
  }

  /** In milliseconds since the epoch; `undefined` when it cannot be read. */
  get issuedAtMs(): number | undefined {
    return millisecondsOf(this.#claims.iat)
  }

  /** Who issued the token; `undefined` when it cannot be read. */
  get issuer(): string | undefined {
    const { iss } = this.#claims
    return typeof iss === 'string' ? iss : undefined
  }

  /** The business that the token belongs to, if it belongs to one. */
  get businessId(): string | undefined {
    const { business_id } = this.#claims
    return typeof business_id === 'string' ? business_id : undefined
  }

  async #obtain(): Promise<string> {
    const token = typeof this.#source === 'function' ? await call(this.#source) : this.#source
    if (!isHeaderValue(token)) throw new VerifierError('credential_unavailable', 'the function given for it gave none')
    if (token !== this.#token) this.#claims = readOwnClaims(token)
    this.#token = token
    return token
  }
}

async function call(source: Exclude<TokenSource, string>): Promise<string> {
  try {
    return await source()
  } catch (cause) {
    throw new VerifierError('credential_unavailable', 'the function given for it failed', { cause })
  }
}

/** Anything else would make the request fail in a way that tells nobody why. */
export function isHeaderValue(token: unknown): token is string {
  return typeof token === 'string' && /^[\x21-\x7e]+$/.test(token)
}

function readOwnClaims(token: string): OwnClaims {
  const payload = decodeBase64url(token.split('.')[1] ?? '')
  try {
    const claims: unknown = JSON.parse(payload?.toString() ?? '')
    return typeof claims === 'object' && claims !== null ? claims : {}
  } catch {
    return {}
  }
}

function millisecondsOf(seconds: unknown): number | undefined {
  return typeof seconds === 'number' ? seconds * 1000 : undefined
}
