import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { installation, issue, newBusiness, newMember, settle } from '../fixtures.ts'
import type { ReopenableStorage } from '../reopenable-storage.ts'

export function describeStanding(storage: ReopenableStorage): void {
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
}
