import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { continues, type Entry, genesis, type Position, Unavailable } from '@rescind/protocol'
import fc from 'fast-check'
import type {
  BulkSubject,
  NewToken,
  Storage,
  TokenPlace,
  TokenRecord,
  TokenSort,
  Transaction,
} from '../storage/storage.ts'
import {
  installation,
  issue,
  NOW_MS,
  newAuditEvent,
  newBusiness,
  newKey,
  newMember,
  revoke,
  settle,
  type World,
} from './storage-fixtures.ts'

/** A place where one storage lives, empty at first. */
export interface Backend {
  open(): Promise<Storage>
  /** Removes everything; the storage is closed by then. */
  destroy(): Promise<void>
}

const SORTS: readonly TokenSort[] = ['created_at', 'name', 'expires_at', 'last_used_at']

/** What every storage backend must guarantee, as tests. */
export function describeStorage(name: string, createBackend: () => Promise<Backend>): void {
  describe(`storage on ${name}`, () => {
    let backend: Backend
    let storage: Storage
    beforeEach(async () => {
      backend = await createBackend()
      storage = await backend.open()
    })
    afterEach(async () => {
      await storage.close()
      await backend.destroy()
    })
    async function reopen(): Promise<void> {
      await storage.close()
      storage = await backend.open()
    }

    describe('records', () => {
      test('an empty storage has no installation', async () => {
        assert.equal(await storage.read.installation(), undefined)
      })

      test('the installation is read back and its log begins at 0', async () => {
        await settle(storage)
        await reopen()
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
        await reopen()
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
        await reopen()
        for (const token of tokens) {
          const record: TokenRecord = { ...token, lastUsedAtMs: null, revocation: null }
          assert.deepEqual(await storage.read.tokenById(token.id), record)
          assert.deepEqual(await storage.read.tokenByIdOrJti(token.id), record)
          assert.deepEqual(await storage.read.tokenByIdOrJti(token.jti), record)
          assert.equal(await storage.read.tokenById(token.jti), undefined)
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
        assert.equal((await storage.read.tokenById(a.id))?.lastUsedAtMs, 900)
        assert.equal((await storage.read.tokenById(b.id))?.lastUsedAtMs, 700)
      })

      test('an audit event is accepted once', async () => {
        await settle(storage)
        const event = newAuditEvent()
        await storage.transact((tx) => tx.insertAuditEvent(event))
        await assert.rejects(storage.transact((tx) => tx.insertAuditEvent({ ...event, atMs: 1 })))
      })
    })

    describe('standing', () => {
      test('names the role and email the holder has now', async () => {
        const world = await settle(storage)
        const { idx, id, jti } = await storage.transact((tx) => issue(tx, world))
        const { userId, businessId, email } = world.member
        const standing = { tokenId: id, jti, businessId, userId, revoked: false, role: 'member', email }
        assert.deepEqual(await storage.read.standing(idx), standing)

        await storage.transact((tx) => tx.upsertMember({ ...world.member, role: 'viewer', email: 'v@example.com' }))
        assert.deepEqual(await storage.read.standing(idx), { ...standing, role: 'viewer', email: 'v@example.com' })

        await storage.transact((tx) => tx.deleteMember(businessId, userId))
        assert.deepEqual(await storage.read.standing(idx), { ...standing, role: null, email: null })
        assert.equal(await storage.read.standing(idx + 1), undefined)
      })

      test('an operator has no role and the email of the installation', async () => {
        const world = await settle(storage)
        const userId = installation.operatorUserId
        const { idx } = await storage.transact((tx) => issue(tx, world, { businessId: null, userId }))
        const standing = await storage.read.standing(idx)
        assert.equal(standing?.businessId, null)
        assert.equal(standing?.role, null)
        assert.equal(standing?.email, installation.operatorEmail)
      })

      test('the same user in another business is another member', async () => {
        const world = await settle(storage)
        const other = newBusiness()
        await storage.transact(async (tx) => {
          await tx.upsertBusiness(other)
          await tx.upsertMember(newMember(other.id, { userId: world.member.userId, role: 'owner' }))
        })
        const { idx } = await storage.transact((tx) => issue(tx, world))
        assert.equal((await storage.read.standing(idx))?.role, 'member')
      })
    })

    describe('units', () => {
      test('under 200 concurrent units, some of which throw, the log stays dense and chained and only the others are in it', async () => {
        const world = await settle(storage)
        const tokens = await storage.transact((tx) => sequence(numbers(200), () => issue(tx, world)))
        const outcomes = await Promise.allSettled(
          tokens.map(({ idx }, i) =>
            storage.transact(async (tx) => {
              const { seq } = await revoke(tx, idx)
              if (i % 7 === 3) throw new Error(`unit ${i} gives up`)
              return seq
            }),
          ),
        )
        const entries = await readLog(storage)
        assertChain(genesis(installation.epoch), entries)
        for (const [i, outcome] of outcomes.entries()) {
          const token = tokens[i]
          assert.ok(token)
          const record = await storage.read.tokenById(token.id)
          if (i % 7 === 3) {
            assert.equal(outcome.status === 'rejected' && outcome.reason.message, `unit ${i} gives up`)
            assert.equal(record?.revocation, null)
          } else {
            assert.equal(outcome.status, 'fulfilled')
            const seq = outcome.status === 'fulfilled' ? outcome.value : 0
            assert.deepEqual(entries[seq - 1]?.body, { kind: 'token_revoked', idx: token.idx })
            assert.equal(record?.revocation?.seq, seq)
          }
        }
        assert.equal(entries.length, outcomes.filter(({ status }) => status === 'fulfilled').length)
        const last = entries.at(-1)
        assert.deepEqual(await storage.read.head(), { epoch: installation.epoch, seq: last?.seq, hash: last?.hash })
      })

      test('a unit that throws leaves no trace of any of its writes, and its batch mates commit', async () => {
        const world = await settle(storage)
        const token = await storage.transact((tx) => issue(tx, world))
        const before = await storage.read.tokenById(token.id)
        const business = newBusiness()
        const mate = (name: string) => storage.transact((tx) => tx.upsertBusiness({ ...newBusiness(), id: name, name }))
        const outcomes = await Promise.allSettled([
          mate('before'),
          storage.transact(async (tx) => {
            await tx.upsertBusiness(business)
            await tx.upsertMember(newMember(business.id))
            await tx.deleteMember(world.business.id, world.member.userId)
            await tx.insertSigningKey(newKey())
            await issue(tx, world)
            await revoke(tx, token.idx)
            await tx.recordUsage(new Map([[token.idx, 5]]))
            await tx.insertAuditEvent(newAuditEvent())
            throw new Error('changed my mind')
          }),
          mate('after'),
        ])
        assert.deepEqual(
          outcomes.map(({ status }) => status),
          ['fulfilled', 'rejected', 'fulfilled'],
        )
        await reopen()
        assert.equal((await storage.read.business('before'))?.name, 'before')
        assert.equal((await storage.read.business('after'))?.name, 'after')
        assert.equal(await storage.read.business(business.id), undefined)
        assert.deepEqual(await storage.read.member(world.business.id, world.member.userId), world.member)
        assert.equal((await storage.read.signingKeys()).length, 1)
        assert.equal(await storage.read.countTokens({ businessId: world.business.id, includeRevoked: true }), 1)
        assert.deepEqual(await storage.read.tokenById(token.id), before)
        assert.equal((await storage.read.head()).seq, 0)
      })

      test('a unit goes on after a statement of it was refused', async () => {
        const { business, member } = await settle(storage)
        await storage.transact(async (tx) => {
          await assert.rejects(tx.upsertMember(newMember(business.id, { email: member.email })))
          await tx.upsertBusiness({ ...business, name: 'still here' })
        })
        assert.equal((await storage.read.business(business.id))?.name, 'still here')
      })

      test('a unit reads its own writes, and nobody else does before it commits', async () => {
        const { business } = await settle(storage)
        const reached = Promise.withResolvers<void>()
        const proceed = Promise.withResolvers<void>()
        let committed = false
        const unit = storage
          .transact(async (tx) => {
            await tx.upsertBusiness({ ...business, name: 'uncommitted' })
            assert.equal((await tx.business(business.id))?.name, 'uncommitted')
            reached.resolve()
            await proceed.promise
            throw new Error('never mind')
          })
          .catch(() => {
            committed = true
          })
        await reached.promise
        const name = storage.read.business(business.id).then((row) => row?.name)
        const entries = readLogFrom(storage, genesis(installation.epoch))
        proceed.resolve()
        assert.equal(await name, business.name)
        assert.deepEqual(await entries, [])
        await unit
        assert.ok(committed)
      })

      test('units are isolated: read-then-write in many of them loses no update', async () => {
        const { business } = await settle(storage)
        await storage.transact((tx) => tx.upsertBusiness({ ...business, name: '0' }))
        const increment = (tx: Transaction) =>
          tx
            .business(business.id)
            .then((row) => tx.upsertBusiness({ ...business, name: String(Number(row?.name) + 1) }))
        await Promise.all(numbers(100).map(() => storage.transact(increment)))
        assert.equal((await storage.read.business(business.id))?.name, '100')
      })

      test('a transaction that outlives its unit can do nothing', async () => {
        const { business } = await settle(storage)
        let leaked: Transaction | undefined
        await storage.transact(async (tx) => {
          leaked = tx
        })
        await assert.rejects(async () => leaked?.upsertBusiness({ ...business, name: 'late' }))
        assert.equal((await storage.read.business(business.id))?.name, business.name)
      })

      test('what a unit returns is returned, and what it throws is thrown', async () => {
        const fault = new Error('as it is')
        assert.equal(await storage.transact(async () => 42), 42)
        await assert.rejects(
          storage.transact(async () => {
            throw fault
          }),
          (error) => error === fault,
        )
      })

      test('an index is never given to two tokens, whatever is rolled back', async () => {
        const world = await settle(storage)
        const issued = await Promise.allSettled(
          numbers(100).map((i) =>
            storage.transact(async (tx) => {
              const token = await issue(tx, world)
              if (i % 3 === 0) throw new Error('not this one')
              return token
            }),
          ),
        )
        const idxs = issued.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.idx] : []))
        assert.equal(new Set(idxs).size, idxs.length)
        await reopen()
        const next = await storage.transact((tx) => tx.nextIdx())
        assert.ok(idxs.every((idx) => idx < next))
        assert.equal(await storage.transact((tx) => tx.takeIdx()), next)
        assert.equal(await storage.transact((tx) => tx.nextIdx()), next + 1)
      })

      test('the quota of active tokens holds when units that count and insert race', async () => {
        const world = await settle(storage)
        const { businessId, userId } = world.member
        const kid = world.key.jwk.kid
        const issued = await Promise.all(
          numbers(50).map(() =>
            storage.transact(async (tx) => {
              await tx.lockHolder({ businessId, userId, kid })
              if ((await tx.activeTokens(businessId, userId, NOW_MS)).length >= 10) return undefined
              return issue(tx, world)
            }),
          ),
        )
        assert.equal(issued.filter((token) => token !== undefined).length, 10)
      })

      test('everything submitted before close settles; everything after is refused', async () => {
        const { business } = await settle(storage)
        const last = storage.transact((tx) => tx.upsertBusiness({ ...business, name: 'last' }))
        const closed = storage.close()
        await assert.rejects(
          storage.transact(async () => 1),
          Unavailable,
        )
        await last
        await closed
        await assert.rejects(storage.read.business(business.id), Unavailable)
        await assert.rejects(
          storage.follow(genesis(installation.epoch), () => {}),
          Unavailable,
        )
        storage = await backend.open()
        assert.equal((await storage.read.business(business.id))?.name, 'last')
      })
    })

    describe('the follower', () => {
      test('has every entry, in order, before the unit that wrote it resolves', async () => {
        const world = await settle(storage)
        const tokens = await storage.transact((tx) => sequence(numbers(120), () => issue(tx, world)))
        const delivered: Entry[] = []
        await storage.follow(genesis(installation.epoch), (entries) => delivered.push(...entries))
        await Promise.all(
          tokens.map(async ({ idx }) => {
            const { seq } = await storage.transact((tx) => revoke(tx, idx))
            assert.deepEqual(delivered[seq - 1]?.body, { kind: 'token_revoked', idx })
          }),
        )
        assertChain(genesis(installation.epoch), delivered)
        assert.equal(delivered.length, 120)
      })

      test('is given no entry of a unit that was rolled back', async () => {
        const world = await settle(storage)
        const token = await storage.transact((tx) => issue(tx, world))
        const delivered: Entry[] = []
        await storage.follow(genesis(installation.epoch), (entries) => delivered.push(...entries))
        const undone = storage.transact(async (tx) => {
          await revoke(tx, token.idx)
          throw new Error('undo')
        })
        const done = storage.transact((tx) => tx.appendEntry({ kind: 'key_added', jwk: world.key.jwk }, NOW_MS))
        await assert.rejects(undone)
        assert.deepEqual(delivered, [await done])
      })

      test('catches up from where it was, without gap or repetition, while units are being written', async () => {
        const world = await settle(storage)
        const bodies = numbers(2500).map((idx) => ({ kind: 'token_revoked' as const, idx }))
        await storage.transact((tx) => sequence(bodies, (body) => tx.appendEntry(body, NOW_MS)))
        await reopen()
        const all = await readLog(storage)
        await reopen()
        const from = all[99]
        assert.ok(from)
        const delivered: Entry[] = []
        const append = () => storage.transact((tx) => tx.appendEntry({ kind: 'key_added', jwk: world.key.jwk }, NOW_MS))
        const writing = numbers(50).map(append)
        await storage.follow({ epoch: installation.epoch, seq: from.seq, hash: from.hash }, (entries) =>
          delivered.push(...entries),
        )
        await Promise.all([...writing, ...numbers(50).map(append)])
        assertChain({ epoch: installation.epoch, seq: from.seq, hash: from.hash }, delivered)
        assert.equal(delivered.length, 2400 + 100)
        assert.deepEqual(delivered.slice(0, 2400), all.slice(100))
      })

      test('bodies of every kind come back as they were', async () => {
        const { key, business, member } = await settle(storage)
        const bodies = [
          { kind: 'token_revoked', idx: 0 },
          { kind: 'business_revoked', businessId: business.id, beforeIdx: 0 },
          { kind: 'member_revoked', businessId: business.id, userId: member.userId, beforeIdx: 7 },
          { kind: 'key_added', jwk: key.jwk },
          { kind: 'key_retired', kid: key.jwk.kid },
        ] as const
        await storage.transact((tx) => sequence(bodies, (body) => tx.appendEntry(body, NOW_MS)))
        await reopen()
        assert.deepEqual(
          (await readLog(storage)).map(({ body }) => body),
          bodies,
        )
      })

      test('is one at a time', async () => {
        await settle(storage)
        await storage.follow(genesis(installation.epoch), () => {})
        await assert.rejects(storage.follow(genesis(installation.epoch), () => {}))
      })

      test('that throws stops the storage: nothing is acknowledged that it did not apply', async () => {
        const world = await settle(storage)
        const token = await storage.transact((tx) => issue(tx, world))
        await storage.follow(genesis(installation.epoch), () => {
          throw new Error('cannot apply')
        })
        await assert.rejects(
          storage.transact((tx) => revoke(tx, token.idx)),
          Unavailable,
        )
        assert.ok((await storage.failed) instanceof Unavailable)
        await assert.rejects(storage.read.standing(token.idx), Unavailable)
      })
    })

    describe('revocation', () => {
      test('of one token is on its row, shows in its standing, and is never changed', async () => {
        const world = await settle(storage)
        const token = await storage.transact((tx) => issue(tx, world))
        const revocation = await storage.transact((tx) => revoke(tx, token.idx))
        await assert.rejects(storage.transact((tx) => revoke(tx, token.idx, 'another@example.com')))
        await reopen()
        assert.deepEqual((await storage.read.tokenById(token.id))?.revocation, revocation)
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
        assert.equal((await storage.read.tokenById(b.id))?.revocation, null)
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
            assert.deepEqual((await storage.read.tokenById(token.id))?.revocation, expected)
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
        assert.deepEqual((await storage.read.tokenById(token.id))?.revocation, bulk)
        assert.deepEqual((await storage.read.tokenById(own.id))?.revocation, first)
        await assert.rejects(storage.transact((tx) => revoke(tx, token.idx)))
        assert.deepEqual((await storage.read.tokenById(token.id))?.revocation, bulk)
      })

      test('in bulk must say what its entry says', async () => {
        const world = await settle(storage)
        const other = await storage.transact((tx) => neighbour(tx))
        await storage.transact((tx) => issue(tx, world))
        const entry = await storage.transact((tx) =>
          tx.appendEntry({ kind: 'business_revoked', businessId: world.business.id, beforeIdx: 1 }, NOW_MS),
        )
        const revocation = { seq: entry.seq, atMs: NOW_MS, by: null, reason: null }
        const wrong: [BulkSubject, number, number][] = [
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

    describe('lists', () => {
      test('hold the tokens of the filter and no others', async () => {
        const world = await settle(storage)
        const other = await storage.transact((tx) => neighbour(tx))
        const [mine, revoked, colleague, elsewhere, operators] = await storage.transact((tx) =>
          sequence(
            [
              {},
              {},
              { userId: other.member.userId },
              { businessId: other.business.id },
              { businessId: null, userId: installation.operatorUserId },
            ],
            (fields) => issue(tx, world, fields),
          ),
        )
        assert.ok(mine && revoked && colleague && elsewhere && operators)
        await storage.transact((tx) => revoke(tx, revoked.idx))
        const businessId = world.business.id
        const { userId } = world.member
        const cases = [
          [{ businessId, includeRevoked: true }, [mine, revoked, colleague]],
          [{ businessId, includeRevoked: false }, [mine, colleague]],
          [{ businessId, userId, includeRevoked: true }, [mine, revoked]],
          [{ businessId, userId, includeRevoked: false }, [mine]],
          [{ businessId: other.business.id, includeRevoked: true }, [elsewhere]],
          [{ businessId: null, includeRevoked: true }, [operators]],
          [{ businessId: null, userId, includeRevoked: true }, []],
        ] as const
        for (const [filter, expected] of cases) {
          const page = { ...filter, sort: 'created_at', descending: false, limit: 100 } as const
          const listed = (await storage.read.listTokens(page)).map(({ id }) => id)
          assert.deepEqual(listed.sort(), expected.map(({ id }) => id).sort())
          assert.equal(await storage.read.countTokens(filter), expected.length)
        }
      })

      test('walked page by page in any order equal one full sort', async () => {
        const world = await settle(storage)
        const name = fc.oneof(fc.constantFrom('', 'a', 'B', 'b', 'é', '｡', '😀'), fc.string({ unit: 'grapheme' }))
        const moment = fc.integer({ min: 0, max: 3 })
        const row = fc.record({
          name,
          createdAtMs: moment,
          expiresAtMs: moment,
          lastUsedAtMs: fc.option(moment),
          revoked: fc.boolean(),
        })
        await fc.assert(
          fc.asyncProperty(
            fc.array(row, { maxLength: 25 }),
            fc.constantFrom(...SORTS),
            fc.boolean(),
            fc.boolean(),
            fc.boolean(),
            fc.integer({ min: 1, max: 7 }),
            async (rows, sort, descending, includeRevoked, oneHolder, limit) => {
              const business = newBusiness()
              const member = newMember(business.id)
              const records = await storage.transact(async (tx) => {
                await tx.upsertBusiness(business)
                return sequence(rows, async ({ lastUsedAtMs, revoked, ...fields }): Promise<TokenRecord> => {
                  const token = await issue(tx, { ...world, business, member }, fields)
                  if (lastUsedAtMs !== null) await tx.recordUsage(new Map([[token.idx, lastUsedAtMs]]))
                  const revocation = revoked ? await revoke(tx, token.idx) : null
                  return { ...token, lastUsedAtMs, revocation }
                })
              })
              const expected = records
                .filter(({ revocation }) => includeRevoked || revocation === null)
                .sort((a, b) => (descending ? -1 : 1) * compare(placeOf(a, sort), placeOf(b, sort)))
              const filter = { businessId: business.id, ...(oneHolder && { userId: member.userId }), includeRevoked }
              const walked: TokenRecord[] = []
              for (;;) {
                const last = walked.at(-1)
                const after = last ? { after: placeOf(last, sort) } : {}
                const page = await storage.read.listTokens({ ...filter, sort, descending, limit, ...after })
                assert.ok(page.length <= limit)
                walked.push(...page)
                if (page.length < limit) break
              }
              assert.deepEqual(walked, expected)
            },
          ),
          { seed: 7, numRuns: 120 },
        )
      })
    })
  })
}

async function sequence<T, R>(items: readonly T[], step: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const item of items) results.push(await step(item))
  return results
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
}

/** A second business with a member and a key, so that there is something to be spared. */
async function neighbour(tx: Transaction): Promise<World> {
  const business = newBusiness()
  const member = newMember(business.id)
  const key = newKey()
  await tx.upsertBusiness(business)
  await tx.upsertMember(member)
  await tx.insertSigningKey(key)
  return { key, business, member }
}

function subjectOf(kind: BulkSubject['kind'], { business, member, key }: World): BulkSubject {
  switch (kind) {
    case 'business':
      return { kind, businessId: business.id }
    case 'member':
      return { kind, businessId: business.id, userId: member.userId }
    case 'key':
      return { kind, kid: key.jwk.kid }
  }
}

function isOf(subject: BulkSubject, token: NewToken): boolean {
  switch (subject.kind) {
    case 'business':
      return token.businessId === subject.businessId
    case 'member':
      return token.businessId === subject.businessId && token.userId === subject.userId
    case 'key':
      return token.kid === subject.kid
  }
}

async function revokeBulk(tx: Transaction, subject: BulkSubject, by = 'owner@example.com') {
  await tx.lockSubject(subject)
  const beforeIdx = await tx.nextIdx()
  const body =
    subject.kind === 'business'
      ? { kind: 'business_revoked' as const, businessId: subject.businessId, beforeIdx }
      : subject.kind === 'member'
        ? { kind: 'member_revoked' as const, businessId: subject.businessId, userId: subject.userId, beforeIdx }
        : { kind: 'key_retired' as const, kid: subject.kid }
  const { seq, atMs } = await tx.appendEntry(body, NOW_MS + 2)
  const revocation = { seq, atMs, by, reason: null }
  await tx.insertBulkRevocation(subject, beforeIdx, revocation)
  return revocation
}

/** The whole log, through a follower: the storage cannot be followed again afterwards. */
function readLog(storage: Storage): Promise<Entry[]> {
  return readLogFrom(storage, genesis(installation.epoch))
}

async function readLogFrom(storage: Storage, after: Position): Promise<Entry[]> {
  const entries: Entry[] = []
  await storage.follow(after, (more) => entries.push(...more))
  return entries
}

function assertChain(start: Position, entries: readonly Entry[]): void {
  let position = start
  for (const entry of entries) {
    assert.ok(continues(position, entry), `entry ${entry.seq} continues ${position.seq}`)
    position = { epoch: start.epoch, seq: entry.seq, hash: entry.hash }
  }
}

function placeOf(token: TokenRecord, sort: TokenSort): TokenPlace {
  const value = {
    created_at: token.createdAtMs,
    name: token.name,
    expires_at: token.expiresAtMs,
    last_used_at: token.lastUsedAtMs,
  }
  return { value: value[sort], id: token.id }
}

/** A missing value first, numbers by size, texts by code point; then by id. */
function compare(a: TokenPlace, b: TokenPlace): number {
  const byValue =
    typeof a.value === 'string'
      ? Buffer.compare(Buffer.from(a.value), Buffer.from(String(b.value)))
      : (a.value ?? -1) - Number(b.value ?? -1)
  return byValue || (a.id < b.id ? -1 : 1)
}
