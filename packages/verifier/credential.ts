import { decodeBase64url } from '@rescind/protocol'
import type { VerifierOptions } from './options.ts'
import { VerifierError } from './verifier-error.ts'

/** What can be read from a token that is one's own. Nothing is decided by it: the service does that. */
interface OwnClaims {
  readonly iss?: unknown
  readonly iat?: unknown
  readonly exp?: unknown
  readonly business_id?: unknown
}

/** The token a verifier shows to its service. */
export class Credential {
  readonly #source: VerifierOptions['token']
  #token: string | undefined
  #claims: OwnClaims = {}

  constructor(source: VerifierOptions['token']) {
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
   * Obtains a token.
   *
   * @throws VerifierError `credential_unavailable`
   */
  async renew(): Promise<string> {
    const token = typeof this.#source === 'function' ? await this.#call(this.#source) : this.#source
    if (!isHeaderValue(token)) throw new VerifierError('credential_unavailable', 'it gave no token')
    if (token !== this.#token) this.#claims = readOwnClaims(token)
    this.#token = token
    return token
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

  async #call(source: () => string | Promise<string>): Promise<string> {
    try {
      return await source()
    } catch (cause) {
      throw new VerifierError('credential_unavailable', 'see the cause', { cause })
    }
  }
}

/** Anything else would make the request fail in a way that tells nobody why. */
function isHeaderValue(token: unknown): token is string {
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
