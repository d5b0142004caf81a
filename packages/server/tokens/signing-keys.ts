import { type Clock, type InForce, type PublicJwk, type SigningAlgorithm, Unavailable } from '@rescind/protocol'
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

/** The keys that the log names, as far as this node has applied it. */
export interface AppliedKeys {
  /** The last entry that was applied. */
  readonly seq: number
  /** Those that are not retired, oldest first. */
  readonly kids: readonly string[]
}

export interface SigningKeysDeps {
  readonly read: Pick<Reads, 'signingKey' | 'signingKeys'>
  readonly clock: Clock
  /** 32 bytes. */
  readonly masterKey: Uint8Array
  readonly applied: () => AppliedKeys
  /** Calls `changed` whenever this node has applied an entry about a key, whichever node wrote it. */
  readonly onChange: (changed: () => void) => void
  /** Resolves when the entry is in force everywhere. */
  readonly inForce: (seq: number) => Promise<InForce>
  /** Revokes every token a key signed; see revocations. */
  readonly endKey: (tx: Transaction, kid: string, cause: Omit<Revocation, 'seq'>) => Promise<Revocation>
}

/**
 * The signing keys of the installation. The newest one that is not retired signs, once its log entry is in force. Any
 * node may add and retire keys; the others learn of it from the log.
 */
export class SigningKeys {
  readonly #deps: SigningKeysDeps
  #current: SigningKey
  /** There may be a newer key than the current one. */
  #isBehind = false
  #isCatchingUp = false

  private constructor(deps: SigningKeysDeps, current: SigningKey) {
    this.#deps = deps
    this.#current = current
  }

  /**
   * Whoever added the newest key may have ended before that was in force. Until it is, the oldest signs: a key is only
   * retired while another one that was in force stays, so the oldest that stays was in force too.
   *
   * @returns `undefined` when the master key does not open the keys
   */
  static open(deps: SigningKeysDeps, records: readonly SigningKeyRecord[]): SigningKeys | undefined {
    const active = records.filter(isActive)
    if (active.length === 0) throw new Error('The database holds no signing key that is not retired.')
    const [oldest, ...newer] = active.map((record) => openSigningKey(record, deps.masterKey))
    if (oldest === undefined || newer.includes(undefined)) return undefined
    const keys = new SigningKeys(deps, oldest)
    deps.onChange(() => keys.#changed())
    keys.#changed()
    return keys
  }

  /** The key that signs new tokens. */
  get current(): SigningKey {
    if (this.#isBehind) this.#changed()
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
    const inForce = await this.#deps.inForce(outcome.seq)
    this.#promote(key)
    const signing = key.jwk.kid === this.#current.jwk.kid
    return { key: { jwk: key.jwk, createdAtMs, retiredAtMs: null, signing }, inForce }
  }

  /** Ends a key that no longer signs, and with it every token it ever signed. */
  async retire(write: Write, kid: string, cause: { by: string; reason: string | null }): Promise<KeyChange | Refused> {
    await this.#promoteNewest()
    const outcome = await write<{ record: SigningKeyRecord; seq: number } | Refused>(async (tx, audit) => {
      const { kid: currentKid } = this.#current.jwk
      // Another node may use another key, and be asked to retire this one meanwhile.
      await tx.lockHolder({ businessId: null, userId: '', kid: currentKid })
      const records = await tx.signingKeys()
      const recordOf = (wanted: string) => records.find(({ jwk }) => jwk.kid === wanted)
      const record = recordOf(kid)
      if (record === undefined) return { refused: 'key_not_found' }
      if (kid === currentKid || kid === records.findLast(isActive)?.jwk.kid) return { refused: 'key_in_use' }
      if (record.retiredAtMs !== null) return { record, seq: (await tx.head()).seq }
      if (recordOf(currentKid)?.retiredAtMs !== null) throw new Unavailable('may_not_decide')
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

  /** A key was added or retired. What cannot be found out about that now is tried again by whoever needs a key next. */
  async #changed(): Promise<void> {
    this.#isBehind = true
    if (this.#isCatchingUp) return
    this.#isCatchingUp = true
    try {
      while (this.#isBehind) {
        this.#isBehind = false
        await this.#promoteNewest()
      }
    } catch {
      this.#isBehind = true
    } finally {
      this.#isCatchingUp = false
    }
  }

  /** Goes by what this node has applied, whatever a database shows that was read at another time. */
  async #promoteNewest(): Promise<void> {
    const { seq, kids } = this.#deps.applied()
    const kid = kids.at(-1)
    if (kid === undefined || kid === this.#current.jwk.kid) return
    const record = await this.#deps.read.signingKey(kid)
    const key = record && openSigningKey(record, this.#deps.masterKey)
    if (key === undefined) throw new Unavailable('storage_unavailable')
    await this.#deps.inForce(seq)
    this.#promote(key)
  }

  /** Unless a later key signs already, or this one was retired. */
  #promote(key: SigningKey): void {
    const { kids } = this.#deps.applied()
    if (kids.indexOf(key.jwk.kid) > kids.indexOf(this.#current.jwk.kid)) this.#current = key
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
