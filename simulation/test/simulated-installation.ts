import { generateKeyPairSync } from 'node:crypto'
import { genesis, type KeyMaterial, type Position, type PublicJwk, publicJwk } from '@rescind/protocol'
import type { NewToken, Storage, Transaction } from '../../packages/server/storage/storage.ts'
import { Database } from '../database/database.ts'
import { SimulatedProcess } from '../process.ts'
import { Random } from '../random.ts'
import { Scheduler } from '../scheduler.ts'

/** A simulated database with an installation, one member and one key. */
export class SimulatedInstallation {
  readonly scheduler = new Scheduler()
  readonly random: Random
  readonly database: Database
  readonly start: Position
  readonly holder: { readonly businessId: string; readonly userId: string; readonly kid: string }
  readonly #jwk: PublicJwk
  #processes = 0

  private constructor(seed: number) {
    this.random = new Random(seed)
    this.database = new Database(this.scheduler, this.random)
    // What nobody follows comes to rest.
    this.database.notifies = false
    this.start = genesis(this.random.uuid())
    const jwk = publicJwk(generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }) as KeyMaterial)
    this.holder = { businessId: this.random.uuid(), userId: this.random.uuid(), kid: jwk.kid }
    this.#jwk = jwk
  }

  static async create(seed = 1): Promise<SimulatedInstallation> {
    const installation = new SimulatedInstallation(seed)
    await installation.#install()
    return installation
  }

  /** The storage of a new process. */
  connect(): { process: SimulatedProcess; storage: Storage } {
    const process = new SimulatedProcess(this.scheduler, this.random, `node ${++this.#processes}`)
    return { process, storage: this.database.connect(process) }
  }

  /** Everything that issuing a token writes. */
  async issue(tx: Transaction): Promise<NewToken> {
    await tx.lockHolder(this.holder)
    const idx = await tx.takeIdx()
    const token = {
      ...this.holder,
      id: this.random.uuid(7),
      jti: this.random.uuid(),
      idx,
      name: 'test',
      description: null,
      scopes: [],
      createdAtMs: 0,
      expiresAtMs: Number.MAX_SAFE_INTEGER,
      issuedBy: null,
    }
    await tx.insertToken(token)
    return token
  }

  /** What a promise comes to while time passes. */
  async outcome<T>(promise: Promise<T>): Promise<T> {
    let settled = false
    const settle = () => {
      settled = true
    }
    promise.then(settle, settle)
    await this.scheduler.run(() => settled)
    if (!settled) throw new Error('Nothing is left to happen, and the promise is still waiting.')
    return promise
  }

  async #install(): Promise<void> {
    const { businessId, userId } = this.holder
    await this.database.direct.transact(async (tx) => {
      await tx.createInstallation({
        issuer: 'https://tokens.example',
        epoch: this.start.epoch,
        tokenPrefix: 'dz_',
        operatorUserId: this.random.uuid(),
        operatorEmail: 'operator@example.com',
        createdAtMs: 0,
      })
      await tx.insertSigningKey({
        jwk: this.#jwk,
        sealedPrivateKey: new Uint8Array(),
        createdAtMs: 0,
        retiredAtMs: null,
      })
      await tx.upsertBusiness({ id: businessId, name: 'Test', createdAtMs: 0 })
      await tx.upsertMember({ businessId, userId, email: 'owner@example.com', role: 'owner', createdAtMs: 0 })
    })
  }
}
