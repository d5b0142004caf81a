import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import { genesis } from '@rescind/protocol'
import type { TokenRecord } from '../../../storage/storage.ts'
import {
  installation,
  issue,
  NOW_MS,
  newAuditEvent,
  newBusiness,
  newKey,
  newMember,
  sequence,
  settle,
} from '../fixtures.ts'
import type { ReopenableStorage } from '../reopenable-storage.ts'

export function describeRecords(storage: ReopenableStorage): void {
  describe('records', () => {
    test('an empty storage has no installation', async () => {
      assert.equal(await storage.read.installation(), undefined)
    })

    test('the installation is read back and its log begins at 0', async () => {
      await settle(storage)
      await storage.reopen()
      assert.deepEqual(await storage.read.installation(), installation)
      assert.deepEqual(await storage.read.head(), genesis(installation.epoch))
    })

    test('a second installation is refused', async () => {
      await settle(storage)
      await assert.rejects(storage.transact((tx) => tx.createInstallation({ ...installation, issuer: 'https://b' })))
      assert.deepEqual(await storage.read.installation(), installation)
    })

    test('a business is read back; saving it again renames it and keeps its creation time', async () => {
      const { business } = await settle(storage)
      assert.deepEqual(await storage.read.business(business.id), business)
      await storage.transact((tx) => tx.upsertBusiness({ ...business, name: 'Neu', createdAtMs: NOW_MS + 5 }))
      assert.deepEqual(await storage.read.business(business.id), { ...business, name: 'Neu' })
      assert.equal(await storage.read.business(randomUUID()), undefined)
    })

    test('a member is read back by id and by email, changed and removed', async () => {
      const { business, member } = await settle(storage)
      assert.deepEqual(await storage.read.member(business.id, member.userId), member)
      assert.deepEqual(await storage.read.memberByEmail(business.id, member.email), member)

      const changed = { ...member, email: 'new@example.com', role: 'admin' as const }
      await storage.transact((tx) => tx.upsertMember({ ...changed, createdAtMs: NOW_MS + 5 }))
      assert.deepEqual(await storage.read.member(business.id, member.userId), changed)
      assert.equal(await storage.read.memberByEmail(business.id, member.email), undefined)

      await storage.transact((tx) => tx.deleteMember(business.id, member.userId))
      assert.equal(await storage.read.member(business.id, member.userId), undefined)
    })

    test('one email belongs to one member of a business, and to others elsewhere', async () => {
      const { business, member } = await settle(storage)
      await assert.rejects(storage.transact((tx) => tx.upsertMember(newMember(business.id, { email: member.email }))))
      const other = newBusiness()
      const namesake = newMember(other.id, { email: member.email, userId: member.userId })
      await storage.transact(async (tx) => {
        await tx.upsertBusiness(other)
        await tx.upsertMember(namesake)
      })
      assert.deepEqual(await storage.read.memberByEmail(other.id, member.email), namesake)
      assert.deepEqual(await storage.read.memberByEmail(business.id, member.email), member)
    })

    test('owners are counted in their own business only', async () => {
      const { business } = await settle(storage)
      const other = newBusiness()
      await storage.transact(async (tx) => {
        await tx.upsertBusiness(other)
        for (const id of [business.id, business.id, other.id]) await tx.upsertMember(newMember(id, { role: 'owner' }))
        await tx.upsertMember(newMember(business.id, { role: 'admin' }))
      })
      assert.equal(await storage.read.countOwners(business.id), 2)
      assert.equal(await storage.read.countOwners(other.id), 1)
      assert.equal(await storage.read.countOwners(randomUUID()), 0)
    })

    test('signing keys are read back oldest first, though added in the same millisecond, and are retired once', async () => {
      const { key } = await settle(storage)
      const more = [newKey(), newKey(), newKey()]
      await storage.transact(async (tx) => {
        for (const added of more) await tx.insertSigningKey(added)
      })
      await storage.transact((tx) => tx.markKeyRetired(key.jwk.kid, NOW_MS + 9))
      await storage.reopen()
      assert.deepEqual(await storage.read.signingKeys(), [{ ...key, retiredAtMs: NOW_MS + 9 }, ...more])
      assert.deepEqual(await storage.read.signingKey(key.jwk.kid), { ...key, retiredAtMs: NOW_MS + 9 })
      assert.equal(await storage.read.signingKey('none'), undefined)
      await assert.rejects(storage.transact((tx) => tx.markKeyRetired(key.jwk.kid, NOW_MS + 10)))
      await assert.rejects(storage.transact((tx) => tx.markKeyRetired('none', NOW_MS)))
    })

    test('a token is read back by id, jti and idx, whatever its texts', async () => {
      const world = await settle(storage)
      const texts = ['plain', '', 'quote \' " `', 'nul \0 inside', 'emoji 🗝️ 中文', '%_\\', 'line\nbreak\r\n\t']
      const tokens = await storage.transact((tx) =>
        sequence(texts, (text) => issue(tx, world, { name: text, description: text, issuedBy: randomUUID() })),
      )
      tokens.push(await storage.transact((tx) => issue(tx, world, { description: null, scopes: [] })))
      await storage.reopen()
      for (const token of tokens) {
        const record: TokenRecord = { ...token, lastUsedAtMs: null, revocation: null }
        assert.deepEqual(await storage.read.tokenByIdOrJti(token.id), record)
        assert.deepEqual(await storage.read.tokenByIdOrJti(token.jti), record)
      }
      assert.equal(await storage.read.tokenByIdOrJti(randomUUID()), undefined)
    })

    test('id, jti and idx of a token are used once', async () => {
      const world = await settle(storage)
      const token = await storage.transact((tx) => issue(tx, world))
      for (const repeated of [{ id: token.id }, { jti: token.jti }, { idx: token.idx }]) {
        await assert.rejects(storage.transact((tx) => issue(tx, world, repeated)))
      }
      assert.equal(await storage.read.countTokens({ businessId: world.business.id, includeRevoked: true }), 1)
    })

    test('a token with an index that was never taken is refused', async () => {
      const world = await settle(storage)
      await assert.rejects(storage.transact(async (tx) => issue(tx, world, { idx: (await tx.nextIdx()) + 1 })))
    })

    test('usage keeps the later time and ignores unknown indexes', async () => {
      const world = await settle(storage)
      const [a, b] = await storage.transact((tx) => sequence([0, 1], () => issue(tx, world)))
      assert.ok(a && b)
      await storage.transact((tx) =>
        tx.recordUsage(
          new Map([
            [a.idx, 500],
            [b.idx, 700],
            [4_000_000, 1],
          ]),
        ),
      )
      await storage.transact((tx) =>
        tx.recordUsage(
          new Map([
            [a.idx, 900],
            [b.idx, 600],
          ]),
        ),
      )
      assert.equal((await storage.read.tokenByIdOrJti(a.id))?.lastUsedAtMs, 900)
      assert.equal((await storage.read.tokenByIdOrJti(b.id))?.lastUsedAtMs, 700)
    })

    test('an audit event is accepted once', async () => {
      await settle(storage)
      const event = newAuditEvent()
      await storage.transact((tx) => tx.insertAuditEvent(event))
      await assert.rejects(storage.transact((tx) => tx.insertAuditEvent({ ...event, atMs: 1 })))
    })
  })
}
