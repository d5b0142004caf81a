import { headerSegment, type PublicJwk } from '@rescind/protocol'
import { VerificationKey } from './verification-key.ts'

/**
 * The keys the log published, each found by the one header segment its tokens carry. A key is never forgotten: the
 * tokens of a retired one are still recognised, so that they read as revoked and not as a stranger's.
 */
export class Keyring {
  readonly #keys = new Map<string, VerificationKey>()
  readonly #retired = new Set<string>()

  /**
   * Adding a key twice is harmless and does not bring back a retired one.
   *
   * @throws Error when the JWK is not a sound key, or when its `kid` is not its thumbprint.
   */
  add(jwk: PublicJwk): void {
    this.addAll([jwk])
  }

  /** {@link add} for several: all of them, or none when it throws. */
  addAll(jwks: readonly PublicJwk[]): void {
    const keys = jwks.map((jwk) => new VerificationKey(jwk))
    for (const key of keys) this.#keys.set(headerSegment(key.jwk.alg, key.jwk.kid), key)
  }

  /** Takes the key out of {@link jwks}, for good. */
  retire(kid: string): void {
    this.#retired.add(kid)
  }

  /** The key whose tokens carry exactly this header segment. */
  find(header: string): VerificationKey | undefined {
    return this.#keys.get(header)
  }

  /** Every key, the retired ones too, oldest first. */
  all(): readonly PublicJwk[] {
    return [...this.#keys.values()].map((key) => key.jwk)
  }

  /** The keys that are not retired, oldest first, for a JWK Set (RFC 7517 section 5). */
  jwks(): readonly PublicJwk[] {
    return this.all().filter((jwk) => !this.#retired.has(jwk.kid))
  }
}
