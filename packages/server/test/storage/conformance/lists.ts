import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { TokenPlace, TokenRecord, TokenSort } from '../../../storage/storage.ts'
import { installation, issue, neighbour, newBusiness, newMember, revoke, sequence, settle } from '../fixtures.ts'
import type { ReopenableStorage } from '../reopenable-storage.ts'

const SORTS: readonly TokenSort[] = ['created_at', 'name', 'expires_at', 'last_used_at']

export function describeLists(storage: ReopenableStorage): void {
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
