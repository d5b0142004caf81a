import type { Clock, PublicJwk, SigningAlgorithm } from '@rescind/protocol'
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

interface Deps {
  readonly read: Pick<Reads, 'signingKeys'>
  readonly clock: Clock
  /** 32 bytes. */
  readonly masterKey: Uint8Array
  /** Resolves when the entry is in force everywhere. */
  readonly inForce: (seq: number) => Promise<void>
  /** Revokes every token a key signed; see revocations. */
  readonly endKey: (tx: Transaction, kid: string, cause: Omit<Revocation, 'seq'>) => Promise<Revocation>
}

/** The signing keys of the installation. The newest one that is not retired signs, once its log entry is in force. */
export class SigningKeys {
  readonly #deps: Deps
  #current: SigningKey

  private constructor(deps: Deps, current: SigningKey) {
    this.#deps = deps
    this.#current = current
  }

  /** @returns `undefined` when the master key does not open the key that signs. */
  static open(deps: Deps, records: readonly SigningKeyRecord[]): SigningKeys | undefined {
    const newest = newestActive(records)
    if (newest === undefined) throw new Error('The database holds no signing key that is not retired.')
    const key = openSigningKey(newest, deps.masterKey)
    return key && new SigningKeys(deps, key)
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
  async rotate(write: Write, alg: SigningAlgorithm): Promise<KeyInfo | Refused> {
    const key = generateSigningKey(alg)
    const createdAtMs = this.#deps.clock.nowMs()
    const outcome = await write(async (tx, audit) => {
      const seq = await addSigningKey(tx, key, this.#deps.masterKey, createdAtMs)
      await audit('key.added', { businessId: null, id: key.jwk.kid })
      return { seq }
    })
    if ('refused' in outcome) return outcome
    await this.#deps.inForce(outcome.seq)
    this.#current = key
    return { jwk: key.jwk, createdAtMs, retiredAtMs: null, signing: true }
  }

  /** Ends a key that no longer signs, and with it every token it ever signed. */
  async retire(write: Write, kid: string, cause: { by: string; reason: string | null }): Promise<KeyInfo | Refused> {
    const outcome = await write<{ record: SigningKeyRecord; seq: number } | Refused>(async (tx, audit) => {
      const records = await tx.signingKeys()
      const record = records.find(({ jwk }) => jwk.kid === kid)
      if (record === undefined) return { refused: 'key_not_found' }
      if (kid === this.#current.jwk.kid || kid === newestActive(records)?.jwk.kid) return { refused: 'key_in_use' }
      if (record.retiredAtMs !== null) return { record, seq: (await tx.head()).seq }
      const atMs = this.#deps.clock.nowMs()
      const { seq } = await this.#deps.endKey(tx, kid, { atMs, ...cause })
      await tx.markKeyRetired(kid, atMs)
      await audit('key.retired', { businessId: null, id: kid })
      return { record: { ...record, retiredAtMs: atMs }, seq }
    })
    if ('refused' in outcome) return outcome
    await this.#deps.inForce(outcome.seq)
    const { jwk, createdAtMs, retiredAtMs } = outcome.record
    return { jwk, createdAtMs, retiredAtMs, signing: false }
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

function newestActive(records: readonly SigningKeyRecord[]): SigningKeyRecord | undefined {
  return records.findLast(({ retiredAtMs }) => retiredAtMs === null)
}
