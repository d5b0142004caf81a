import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createUuidV7Source } from '@rescind/protocol'
import type { Role } from '../../access/members.ts'
import { loadMasterKey } from '../../master-key.ts'
import type { Transaction } from '../../storage/storage.ts'
import type { Write } from '../../storage/write.ts'
import { issueToken } from '../../tokens/issue-token.ts'
import { openSigningKey } from '../../tokens/signing-key.ts'
import type { Holder, Issued } from '../service/provisioning.ts'
import { openStorage } from '../service/test-database.ts'

const clock = { nowMs: () => Date.now() }
const newId = createUuidV7Source(clock, randomUUID)

/** Puts into a data folder what the API refuses to make, such as tokens that carry more than their holder's role allows. */
export interface OfflineWriter {
  readonly operatorUserId: string
  business(): Promise<string>
  member(businessId: string, role: Role): Promise<Holder>
  /** @param holder a member, or `operator` */
  token(holder: Pick<Holder, 'businessId' | 'userId'> | 'operator', scopes: readonly string[]): Promise<Issued>
}

/** Runs a unit in a transaction of its own: as many writes as fit into the time that the storage gives one. */
export type WriteOffline = <T>(unit: (writer: OfflineWriter) => Promise<T>) => Promise<T>

/** Writes into the folder of a service that was set up and is not running. */
export async function writeOffline<T>(dataDir: string, writes: (write: WriteOffline) => Promise<T>): Promise<T> {
  const storage = await openStorage(dataDir)
  try {
    const installation = await storage.read.installation()
    const record = (await storage.read.signingKeys()).at(-1)
    assert.ok(installation && record, 'the folder is set up')
    const key = openSigningKey(record, loadMasterKey(dataDir, undefined, false).sealing)
    assert.ok(key)
    const deps = {
      installation,
      clock,
      newId,
      newJti: randomUUID,
      signingKey: () => key,
      maxActiveTokens: Number.POSITIVE_INFINITY,
    }
    const writerIn = (tx: Transaction): OfflineWriter => {
      const write: Write = (issue) => issue(tx, async () => {})
      return {
        operatorUserId: installation.operatorUserId,
        business: async () => {
          const id = newId()
          await tx.upsertBusiness({ id, name: 'A business', createdAtMs: clock.nowMs() })
          return id
        },
        member: async (businessId, role) => {
          const userId = newId()
          const holder = { businessId, userId, email: `${userId}@example.com`, role }
          await tx.upsertMember({ ...holder, createdAtMs: clock.nowMs() })
          return holder
        },
        token: async (holder, scopes) => {
          const owner = { businessId: null, userId: installation.operatorUserId }
          const outcome = await issueToken(deps, write, {
            holder: holder === 'operator' ? owner : holder,
            name: 'a token',
            description: null,
            expiresInDays: 1,
            grant: () => ({ scopes }),
            issuedBy: null,
          })
          assert.ok('token' in outcome)
          return { token: outcome.token, id: outcome.record.id, jti: outcome.record.jti }
        },
      }
    }
    return await writes((unit) => storage.transact((tx) => unit(writerIn(tx))))
  } finally {
    await storage.close()
  }
}
