import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { BulkTarget, NewToken, Transaction } from '../../../storage/storage.ts'
import { issue, NOW_MS, neighbour, revoke, revokeBulk, sequence, settle, subjectOf } from '../fixtures.ts'
import type { ReopenableStorage } from '../reopenable-storage.ts'

export function describeRevocation(storage: ReopenableStorage): void {
  describe('revocation', () => {
    test('of one token is on its row, shows in its standing, and is never changed', async () => {
      const world = await settle(storage)
      const token = await storage.transact((tx) => issue(tx, world))
      const revocation = await storage.transact((tx) => revoke(tx, token.idx))
      await assert.rejects(storage.transact((tx) => revoke(tx, token.idx, 'another@example.com')))
      await storage.reopen()
      assert.deepEqual((await storage.read.tokenByIdOrJti(token.id))?.revocation, revocation)
      assert.equal((await storage.read.standing(token.idx))?.revoked, true)
      assert.equal((await storage.read.head()).seq, 1)
    })

    test('without an entry that names the token is refused', async () => {
      const world = await settle(storage)
      const [a, b] = await storage.transact((tx) => sequence([0, 1], () => issue(tx, world)))
      assert.ok(a && b)
      const { seq } = await storage.transact((tx) => revoke(tx, a.idx))
      for (const wrong of [seq, seq + 1]) {
        const revocation = { seq: wrong, atMs: NOW_MS, by: null, reason: null }
        await assert.rejects(storage.transact((tx) => tx.markRevoked(b.idx, revocation)))
      }
      assert.equal((await storage.read.tokenByIdOrJti(b.id))?.revocation, null)
    })

    test('of a token that does not exist is refused', async () => {
      await settle(storage)
      await assert.rejects(storage.transact((tx) => revoke(tx, 12)))
      assert.equal((await storage.read.head()).seq, 0)
    })

    for (const kind of ['business', 'member', 'key'] as const) {
      test(`of a ${kind} covers its tokens issued so far, and no other`, async () => {
        const world = await settle(storage)
        const other = await storage.transact((tx) => neighbour(tx))
        const subject = subjectOf(kind, world)
        const issueAll = (tx: Transaction) =>
          sequence(
            [
              {},
              { userId: other.member.userId },
              { businessId: other.business.id },
              { businessId: null, userId: world.member.userId },
              { kid: other.key.jwk.kid },
            ],
            (fields) => issue(tx, world, fields),
          )
        const before = await storage.transact(issueAll)
        const revocation = await storage.transact((tx) => revokeBulk(tx, subject))
        const after = await storage.transact(issueAll)
        for (const token of [...before, ...after]) {
          const covered = before.includes(token) && isOf(subject, token)
          const expected = covered ? revocation : null
          assert.deepEqual((await storage.read.tokenByIdOrJti(token.id))?.revocation, expected)
          assert.equal((await storage.read.standing(token.idx))?.revoked, covered)
          const active = await storage.read.activeTokens(token.businessId, token.userId, NOW_MS)
          assert.equal(
            active.some(({ id }) => id === token.id),
            !covered,
          )
        }
      })
    }

    test('that came first is the one that shows, through whatever it came', async () => {
      const world = await settle(storage)
      const token = await storage.transact((tx) => issue(tx, world))
      const own = await storage.transact((tx) => issue(tx, world))
      const first = await storage.transact((tx) => revoke(tx, own.idx))
      const bulk = await storage.transact((tx) => revokeBulk(tx, subjectOf('member', world), 'first@example.com'))
      await storage.transact((tx) => revokeBulk(tx, subjectOf('business', world), 'second@example.com'))
      await storage.transact((tx) => revokeBulk(tx, subjectOf('member', world), 'third@example.com'))
      await storage.transact((tx) => revokeBulk(tx, subjectOf('key', world), 'fourth@example.com'))
      assert.deepEqual((await storage.read.tokenByIdOrJti(token.id))?.revocation, bulk)
      assert.deepEqual((await storage.read.tokenByIdOrJti(own.id))?.revocation, first)
      await assert.rejects(storage.transact((tx) => revoke(tx, token.idx)))
      assert.deepEqual((await storage.read.tokenByIdOrJti(token.id))?.revocation, bulk)
    })

    test('in bulk must say what its entry says', async () => {
      const world = await settle(storage)
      const other = await storage.transact((tx) => neighbour(tx))
      await storage.transact((tx) => issue(tx, world))
      const entry = await storage.transact((tx) =>
        tx.appendEntry({ kind: 'business_revoked', businessId: world.business.id, beforeIdx: 1 }, NOW_MS),
      )
      const revocation = { seq: entry.seq, atMs: NOW_MS, by: null, reason: null }
      const wrong: [BulkTarget, number, number][] = [
        [subjectOf('business', other), 1, entry.seq],
        [subjectOf('member', world), 1, entry.seq],
        [subjectOf('business', world), 0, entry.seq],
        [subjectOf('business', world), 1, entry.seq + 1],
      ]
      for (const [subject, beforeIdx, seq] of wrong) {
        await assert.rejects(
          storage.transact((tx) => tx.insertBulkRevocation(subject, beforeIdx, { ...revocation, seq })),
        )
      }
      await storage.transact((tx) => tx.insertBulkRevocation(subjectOf('business', world), 1, revocation))
    })

    test('in bulk reaches no token that does not exist yet', async () => {
      const world = await settle(storage)
      const { id: businessId } = world.business
      const tooFar = storage.transact(async (tx) => {
        const beforeIdx = (await tx.nextIdx()) + 1
        const { seq, atMs } = await tx.appendEntry({ kind: 'business_revoked', businessId, beforeIdx }, NOW_MS)
        const revocation = { seq, atMs, by: null, reason: null }
        await tx.insertBulkRevocation({ kind: 'business', businessId }, beforeIdx, revocation)
      })
      await assert.rejects(tooFar)
      assert.equal((await storage.read.head()).seq, 0)
    })

    test('decides, with expiry, which tokens are active', async () => {
      const world = await settle(storage)
      const { businessId, userId } = world.member
      const [alive, expired, revoked] = await storage.transact((tx) =>
        sequence([NOW_MS + 1, NOW_MS, NOW_MS + 1], (expiresAtMs) => issue(tx, world, { expiresAtMs })),
      )
      assert.ok(alive && expired && revoked)
      await storage.transact((tx) => revoke(tx, revoked.idx))
      const ids = async (nowMs: number) =>
        (await storage.read.activeTokens(businessId, userId, nowMs)).map(({ id }) => id)
      assert.deepEqual(await ids(NOW_MS), [alive.id])
      assert.deepEqual(await ids(NOW_MS + 1), [])
      assert.deepEqual(await storage.read.activeTokens(null, userId, NOW_MS), [])
    })
  })
}

function isOf(subject: BulkTarget, token: NewToken): boolean {
  switch (subject.kind) {
    case 'business':
      return token.businessId === subject.businessId
    case 'member':
      return token.businessId === subject.businessId && token.userId === subject.userId
    case 'key':
      return token.kid === subject.kid
  }
}
