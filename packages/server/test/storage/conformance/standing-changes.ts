import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { genesis, Unavailable } from '@rescind/protocol'
import type { BulkTarget, Standing, Transaction } from '../../../storage/storage.ts'
import {
  installation,
  issue,
  newBusiness,
  newKey,
  newMember,
  revoke,
  revokeBulk,
  settle,
  subjectOf,
  type World,
} from '../fixtures.ts'
import type { ReopenableStorage } from '../reopenable-storage.ts'

/** A standing that has been asked for, twice. */
interface Asked {
  readonly world: World
  readonly idx: number
  readonly before: Standing | undefined
}

interface Change {
  /** What the standing is then asked of. */
  readonly arrange: (tx: Transaction, world: World) => Promise<number>
  /** Makes the change and tells what is different afterwards. */
  readonly write: (tx: Transaction, asked: Asked) => Promise<Partial<Standing>>
}

const issueOne = async (tx: Transaction, world: World) => (await issue(tx, world)).idx

const revokedInBulk = (kind: BulkTarget['kind']): Change => ({
  arrange: issueOne,
  async write(tx, { world }) {
    await revokeBulk(tx, subjectOf(kind, world))
    return { revoked: true }
  },
})

/** Everything that changes a standing. */
const CHANGES: Readonly<Record<string, Change>> = {
  'the revocation of the token': {
    arrange: issueOne,
    async write(tx, { idx }) {
      await revoke(tx, idx)
      return { revoked: true }
    },
  },
  'the revocation of its business': revokedInBulk('business'),
  'the revocation of its member': revokedInBulk('member'),
  'the retirement of its key': {
    arrange: issueOne,
    async write(tx, { world }) {
      await tx.markKeyRetired(world.key.jwk.kid, world.key.createdAtMs + 1)
      await revokeBulk(tx, subjectOf('key', world))
      return { revoked: true }
    },
  },
  'a change of role': {
    arrange: issueOne,
    async write(tx, { world }) {
      await tx.upsertMember({ ...world.member, role: 'admin' })
      return { role: 'admin' }
    },
  },
  'a change of email': {
    arrange: issueOne,
    async write(tx, { world }) {
      await tx.upsertMember({ ...world.member, email: 'moved@example.com' })
      return { email: 'moved@example.com' }
    },
  },
  'the removal of the member': {
    arrange: issueOne,
    async write(tx, { world }) {
      await tx.deleteMember(world.business.id, world.member.userId)
      return { role: null, email: null }
    },
  },
  'the return of a member': {
    async arrange(tx, world) {
      const { idx } = await issue(tx, world)
      await tx.deleteMember(world.business.id, world.member.userId)
      return idx
    },
    async write(tx, { world }) {
      await tx.upsertMember(world.member)
      return { role: world.member.role, email: world.member.email }
    },
  },
  'the issuing of the token': {
    arrange: (tx) => tx.nextIdx(),
    async write(tx, { world }) {
      const { id, jti } = await issue(tx, world)
      const { businessId, userId, role, email } = world.member
      return { tokenId: id, jti, businessId, userId, revoked: false, role, email }
    },
  },
}

/** A standing is what the database says now, however often it was asked for before. */
export function describeStandingChanges(storage: ReopenableStorage): void {
  describe('a standing that was asked for before', () => {
    for (const [name, { arrange, write }] of Object.entries(CHANGES)) {
      async function ask(): Promise<Asked> {
        const world = await settle(storage)
        const idx = await storage.transact((tx) => arrange(tx, world))
        const before = await storage.read.standing(idx)
        assert.deepEqual(await storage.read.standing(idx), before)
        return { world, idx, before }
      }
      /** Makes the change and sees it in its own unit. */
      async function change(tx: Transaction, asked: Asked): Promise<Standing> {
        const after = { ...asked.before, ...(await write(tx, asked)) }
        assert.notDeepEqual(after, asked.before)
        assert.deepEqual(await tx.standing(asked.idx), after)
        return after as Standing
      }

      test(`shows ${name} in the unit that does it and ever after`, async () => {
        const asked = await ask()
        const after = await storage.transact((tx) => change(tx, asked))
        assert.deepEqual(await storage.read.standing(asked.idx), after)
        assert.deepEqual(await storage.read.standing(asked.idx), after)
        assert.deepEqual(await storage.transact((tx) => tx.standing(asked.idx)), after)
        await storage.reopen()
        assert.deepEqual(await storage.read.standing(asked.idx), after)
      })

      test(`shows nothing of ${name} that was rolled back, nor to the next unit of the batch`, async () => {
        const asked = await ask()
        const undone = storage.transact(async (tx) => {
          await change(tx, asked)
          throw new Error('not after all')
        })
        const seenByNext = storage.transact((tx) => tx.standing(asked.idx))
        await assert.rejects(undone, { message: 'not after all' })
        assert.deepEqual(await seenByNext, asked.before)
        assert.deepEqual(await storage.read.standing(asked.idx), asked.before)
        assert.deepEqual(await storage.transact((tx) => tx.standing(asked.idx)), asked.before)
      })

      test(`shows ${name} to the units of the batch that come after it`, async () => {
        const asked = await ask()
        const seenBy = () => storage.transact((tx) => tx.standing(asked.idx))
        const [first, after, next] = await Promise.all([
          seenBy(),
          storage.transact((tx) => change(tx, asked)),
          seenBy(),
        ])
        assert.deepEqual(first, asked.before)
        assert.deepEqual(next, after)
        assert.deepEqual(await storage.read.standing(asked.idx), after)
      })

      for (const commits of [true, false]) {
        test(`shows nobody else ${name} before its batch ${commits ? 'commits' : 'is rolled back'}`, async () => {
          const asked = await ask()
          const written = Promise.withResolvers<void>()
          const proceed = Promise.withResolvers<void>()
          let isOver = false
          const unit = storage.transact(async (tx) => {
            const after = await change(tx, asked)
            written.resolve()
            await proceed.promise
            isOver = true
            if (!commits) throw new Error('not after all')
            return after
          })
          await written.promise
          const seen = storage.read.standing(asked.idx).then((standing) => ({ standing, isOver }))
          proceed.resolve()
          const committed = await unit.catch(() => asked.before)
          const read = await seen
          const expected = read.isOver ? [asked.before, committed] : [asked.before]
          assert.ok(expected.some((standing) => isDeepStrictEqual(standing, read.standing)))
          assert.deepEqual(await storage.read.standing(asked.idx), committed)
        })
      }
    }

    test('shows the email of an operator from the moment the installation says it', async () => {
      const key = newKey()
      const business = newBusiness()
      const member = newMember(business.id, { userId: installation.operatorUserId })
      const { idx } = await storage.transact(async (tx) => {
        await tx.insertSigningKey(key)
        return issue(tx, { key, business, member }, { businessId: null })
      })
      assert.equal((await storage.read.standing(idx))?.email, null)
      await storage.transact(async (tx) => {
        await tx.createInstallation(installation)
        assert.equal((await tx.standing(idx))?.email, installation.operatorEmail)
      })
      assert.equal((await storage.read.standing(idx))?.email, installation.operatorEmail)
    })

    test('is not told from memory once the storage is closed', async () => {
      const world = await settle(storage)
      const { idx } = await storage.transact((tx) => issue(tx, world))
      await storage.read.standing(idx)
      await storage.close()
      await assert.rejects(storage.read.standing(idx), Unavailable)
    })

    test('is not told from memory once the storage has failed', async () => {
      const world = await settle(storage)
      const { idx } = await storage.transact((tx) => issue(tx, world))
      await storage.read.standing(idx)
      await storage.follow(genesis(installation.epoch), () => {
        throw new Error('cannot apply')
      })
      const other = storage.transact((tx) => tx.appendEntry({ kind: 'key_added', jwk: world.key.jwk }, 1))
      await assert.rejects(other, Unavailable)
      await assert.rejects(storage.read.standing(idx), Unavailable)
    })
  })
}
