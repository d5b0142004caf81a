import type { Clock, InForce, PublicJwk, SigningAlgorithm } from '@rescind/protocol'
import type { Reads, Revocation, SigningKeyRecord, Transaction } from '../storage/storage.ts'
import type { Refused, Write } from '../storage/write.ts'
import { generateSigningKey, openSigningKey, type SigningKey, sealSigningKey } from './signing-key.ts'

/** A signing key as operators see it. */
export interface KeyInfo {
  readonly jwk: PublicJwk
  readonly createdAtMs: number
  readonly retiredAtMs: number | null
  /** The key that signs new tokens. */
  readonly signing: boolean
}

/** A key as it is since the change, which is in force. */
export interface KeyChange {
  readonly key: KeyInfo
  readonly inForce: InForce
}

interface Deps {
  readonly read: Pick<Reads, 'signingKeys' | 'head'>
  readonly clock: Clock
  /** 32 bytes. */
  readonly masterKey: Uint8Array
  /** Resolves when the entry is in force everywhere. */
  readonly inForce: (seq: number) => Promise<InForce>
  /** Revokes every token a key signed; see revocations. */
  readonly endKey: (tx: Transaction, kid: string, cause: Omit<Revocation, 'seq'>) => Promise<Revocation>
}

/** The signing keys of the installation. The newest one that is not retired signs, once its log entry is in force. */
export class SigningKeys {
  readonly #deps: Deps
  #current: SigningKey
  /** The newest key, while it is not known to be in force. */
  #next: SigningKey | undefined

  private constructor(deps: Deps, current: SigningKey, next: SigningKey | undefined) {
    this.#deps = deps
    this.#current = current
    this.#next = next
  }

  /**
   * Whoever added the newest key may have ended before that was in force. Until it is, the oldest signs: the key in use
   * is never retired, so that one was in force before any other was.
   *
   * @returns `undefined` when the master key does not open the keys
   */
  static open(deps: Deps, records: readonly SigningKeyRecord[]): SigningKeys | undefined {
    const oldest = records.find(isActive)
    const newest = records.findLast(isActive)
    if (oldest === undefined || newest === undefined) {
      throw new Error('The database holds no signing key that is not retired.')
    }
    const current = openSigningKey(oldest, deps.masterKey)
    const next = newest === oldest ? undefined : openSigningKey(newest, deps.masterKey)
    if (current === undefined || (newest !== oldest && next === undefined)) return undefined
    const keys = new SigningKeys(deps, current, next)
    // If it cannot be told now, whoever rotates or retires a key asks again; until then the older key is as good.
    keys.#promoteNewest().catch(() => {})
    return keys
  }

  /** The key that signs new tokens. */
  get current(): SigningKey {
    return this.#current
  }

  /** Every key ever made, oldest first. */
  async list(): Promise<KeyInfo[]> {
    const records = await this.#deps.read.signingKeys()
    return records.map(({ jwk, createdAtMs, retiredAtMs }) => ({
      jwk,
      createdAtMs,
      retiredAtMs,
      signing: jwk.kid === this.#current.jwk.kid,
    }))
  }

  /** Adds a key and signs with it from then on. Tokens of earlier keys stay valid. */
  async rotate(write: Write, alg: SigningAlgorithm): Promise<KeyChange | Refused> {
    await this.#promoteNewest()
    const key = generateSigningKey(alg)
    const createdAtMs = this.#deps.clock.nowMs()
    const outcome = await write(async (tx, audit) => {
      const seq = await addSigningKey(tx, key, this.#deps.masterKey, createdAtMs)
      await audit('key.added', { businessId: null, id: key.jwk.kid })
      return { seq }
    })
    if ('refused' in outcome) return outcome
    this.#next = key
    const inForce = await this.#deps.inForce(outcome.seq)
    this.#promote(key)
    return { key: { jwk: key.jwk, createdAtMs, retiredAtMs: null, signing: true }, inForce }
  }

  /** Ends a key that no longer signs, and with it every token it ever signed. */
  async retire(write: Write, kid: string, cause: { by: string; reason: string | null }): Promise<KeyChange | Refused> {
    await this.#promoteNewest()
    const outcome = await write<{ record: SigningKeyRecord; seq: number } | Refused>(async (tx, audit) => {
      const records = await tx.signingKeys()
      const record = records.find(({ jwk }) => jwk.kid === kid)
      if (record === undefined) return { refused: 'key_not_found' }
      if (kid === this.#current.jwk.kid || kid === records.findLast(isActive)?.jwk.kid) return { refused: 'key_in_use' }
      if (record.retiredAtMs !== null) return { record, seq: (await tx.head()).seq }
      const atMs = this.#deps.clock.nowMs()
      const { seq } = await this.#deps.endKey(tx, kid, { atMs, ...cause })
      await tx.markKeyRetired(kid, atMs)
      await audit('key.retired', { businessId: null, id: kid })
      return { record: { ...record, retiredAtMs: atMs }, seq }
    })
    if ('refused' in outcome) return outcome
    const inForce = await this.#deps.inForce(outcome.seq)
    const { jwk, createdAtMs, retiredAtMs } = outcome.record
    return { key: { jwk, createdAtMs, retiredAtMs, signing: false }, inForce }
  }

  async #promoteNewest(): Promise<void> {
    const next = this.#next
    if (next === undefined) return
    const { seq } = await this.#deps.read.head()
    await this.#deps.inForce(seq)
    this.#promote(next)
  }

  /** Unless another key was added since, whose entry comes later. */
  #promote(key: SigningKey): void {
    if (this.#next !== key) return
    this.#current = key
    this.#next = undefined
  }
}

/** Stores a key and announces it in the log. */
export async function addSigningKey(
  tx: Transaction,
  key: SigningKey,
  masterKey: Uint8Array,
  createdAtMs: number,
): Promise<number> {
  await tx.insertSigningKey(sealSigningKey(key, masterKey, createdAtMs))
  const entry = await tx.appendEntry({ kind: 'key_added', jwk: key.jwk }, createdAtMs)
  return entry.seq
}

function isActive({ retiredAtMs }: SigningKeyRecord): boolean {
  return retiredAtMs === null
}
