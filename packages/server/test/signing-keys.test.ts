import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { type InForce, Unavailable } from '@rescind/protocol'
import { install } from '../install.ts'
import { endAllTokens } from '../revocations/revoke-all.ts'
import { openSqlite } from '../storage/sqlite/open-sqlite.ts'
import type { Storage } from '../storage/storage.ts'
import type { Write } from '../storage/write.ts'
import { SigningKeys } from '../tokens/signing-keys.ts'
import { temporaryFolder } from './service/running-service.ts'
import { NOW_MS, newId } from './storage/fixtures.ts'

const MASTER_KEY = new Uint8Array(32)
const IN_FORCE: InForce = { applied: 0, waitedOut: 0, waitedMs: 0 }
const CAUSE = { by: null, reason: null } as never
const clock = { nowMs: () => NOW_MS }

/** The signing keys of one node among several, which hears of what is in the log when the test lets it. */
class KeysOfNode {
  readonly keys: SigningKeys
  readonly write: Write
  /** Lets entries come to be in force, or tells that it cannot be found out. */
  inForce: (seq: number) => Promise<InForce> = () => Promise.resolve(IN_FORCE)
  readonly #storage: Storage
  #seq = 0
  #kids: string[] = []
  #changed = () => {}

  private constructor(storage: Storage, records: Awaited<ReturnType<Storage['read']['signingKeys']>>) {
    this.#storage = storage
    this.write = (unit) => storage.transact((tx) => unit(tx, async () => {}))
    const keys = SigningKeys.open(
      {
        read: storage.read,
        clock,
        masterKey: MASTER_KEY,
        applied: () => ({ seq: this.#seq, kids: this.#kids }),
        onChange: (changed) => {
          this.#changed = changed
        },
        inForce: (seq) => this.inForce(seq),
        endKey: (tx, kid, cause) => endAllTokens(tx, { kind: 'key', kid }, cause),
      },
      records,
    )
    assert.ok(keys)
    this.keys = keys
  }

  static async start(storage: Storage, inForce?: KeysOfNode['inForce']): Promise<KeysOfNode> {
    const node = new KeysOfNode(storage, await storage.read.signingKeys())
    if (inForce !== undefined) node.inForce = inForce
    await node.apply()
    return node
  }

  get kid(): string {
    return this.keys.current.jwk.kid
  }

  /** Applies everything that is in the log. */
  async apply(): Promise<void> {
    for (const { seq, body } of await this.#storage.read.entriesAfter(this.#seq, 1000)) {
      this.#seq = seq
      if (body.kind === 'key_added') this.#kids.push(body.jwk.kid)
      if (body.kind === 'key_retired') this.#kids = this.#kids.filter((kid) => kid !== body.kid)
    }
    this.#changed()
  }

  /** As a service does: what it wrote is applied before it goes on. */
  async rotate(): Promise<string> {
    const write: Write = async (unit) => {
      const outcome = await this.write(unit)
      await this.apply()
      return outcome
    }
    const rotated = await this.keys.rotate(write, 'EdDSA')
    assert.ok('key' in rotated)
    return rotated.key.jwk.kid
  }

  retire(kid: string) {
    return this.keys.retire(this.write, kid, CAUSE)
  }

  async signsWith(kid: string): Promise<void> {
    while (this.kid !== kid) await turn()
  }
}

async function installed(t: TestContext): Promise<Storage> {
  const storage = await openSqlite({ dataDir: await temporaryFolder(t), clock })
  t.after(() => storage.close())
  const deps = { storage, clock, newId, newUuid: () => crypto.randomUUID(), sealingKey: MASTER_KEY }
  await install(deps, { issuer: 'https://tokens.example', tokenPrefix: 'dz_', signingAlg: 'EdDSA' })
  return storage
}

test('a node signs with the key that another one added, without being started again', async (t) => {
  const storage = await installed(t)
  const [one, other] = [await KeysOfNode.start(storage), await KeysOfNode.start(storage)]
  const first = one.kid
  const second = await one.rotate()
  assert.deepEqual([one.kid, other.kid], [second, first])
  await other.apply()
  await other.signsWith(second)
})

test('a node whose key was retired by another one signs with the new one', async (t) => {
  const storage = await installed(t)
  const [one, other] = [await KeysOfNode.start(storage), await KeysOfNode.start(storage)]
  const first = one.kid
  const second = await one.rotate()
  assert.ok('key' in (await one.retire(first)))
  assert.equal(other.kid, first)
  await other.apply()
  await other.signsWith(second)
})

test('a key of another node signs nothing before its entry is in force', async (t) => {
  const storage = await installed(t)
  const [one, other] = [await KeysOfNode.start(storage), await KeysOfNode.start(storage)]
  const first = one.kid
  const enforced = Promise.withResolvers<InForce>()
  const asked = Promise.withResolvers<number>()
  other.inForce = (seq) => {
    asked.resolve(seq)
    return enforced.promise
  }
  const second = await one.rotate()
  await other.apply()
  assert.equal(await asked.promise, (await storage.read.head()).seq)
  assert.equal(other.kid, first)
  enforced.resolve(IN_FORCE)
  await other.signsWith(second)
})

test('what a node could not find out of a new key is found out by whoever needs one next', async (t) => {
  const storage = await installed(t)
  const [one, other] = [await KeysOfNode.start(storage), await KeysOfNode.start(storage)]
  const first = other.kid
  let failures = 0
  other.inForce = () => {
    failures++
    return Promise.reject(new Unavailable('storage_unavailable'))
  }
  const second = await one.rotate()
  await other.apply()
  while (failures === 0) await turn()
  assert.equal(other.kid, first)
  other.inForce = () => Promise.resolve(IN_FORCE)
  await other.signsWith(second)
})

test('of two keys that nodes added at the same time every node comes to use the later one', async (t) => {
  const storage = await installed(t)
  const [one, other] = [await KeysOfNode.start(storage), await KeysOfNode.start(storage)]
  const kids = await Promise.all([one.rotate(), other.rotate()])
  const latest = (await storage.read.signingKeys()).at(-1)?.jwk.kid ?? ''
  assert.ok(kids.includes(latest))
  for (const node of [one, other]) {
    await node.apply()
    await node.signsWith(latest)
  }
})

test('a key that was in force stays, whichever nodes are asked to retire the others', async (t) => {
  const storage = await installed(t)
  const [behind, ahead] = [await KeysOfNode.start(storage), await KeysOfNode.start(storage)]
  const first = behind.kid
  const second = await ahead.rotate()
  const newest = await KeysOfNode.start(storage)
  await newest.signsWith(second)
  // The third one never comes to be in force, and only the node that added it knows of it.
  newest.inForce = () => new Promise(() => {})
  newest.rotate()
  while ((await storage.read.signingKeys()).length < 3) await turn()

  assert.ok('key' in (await behind.retire(second)))
  await assert.rejects(ahead.retire(first), Unavailable)
  assert.deepEqual(await behind.retire(first), { refused: 'key_in_use' })
  assert.equal((await KeysOfNode.start(storage, newest.inForce)).kid, first)
})
