import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { genesis, Unavailable } from '@rescind/protocol'
import { databaseForTests } from '../../../../postgres/database-for-tests.ts'
import { appendEntry, findNode, installation, joinNode, settle } from './fixtures.ts'
import { PostgresSchema } from './postgres-schema.ts'

const { url, skip } = await databaseForTests()

/** What a server without the last commits has. Only the owner of the tables can do this, and means it. */
async function go(schema: PostgresSchema, table: string, statement: string): Promise<void> {
  await schema.query(`ALTER TABLE ${table} DISABLE TRIGGER ALL`)
  await schema.query(statement)
  await schema.query(`ALTER TABLE ${table} ENABLE TRIGGER ALL`)
}

describe('a node whose server is another one than before', { skip }, () => {
  test('uses no count of a renewal again that somebody may have seen', async (t) => {
    const schema = new PostgresSchema(t, url ?? '')
    const storage = await schema.open()
    await settle(storage)
    const nodeId = await joinNode(storage)
    for (let renewal = 1; renewal <= 3; renewal++) await storage.membership.renew(nodeId, 0)
    assert.equal((await findNode(storage, nodeId))?.renewals, 3)
    await go(schema, 'nodes', `UPDATE nodes SET renewals = 1`)
    await storage.membership.renew(nodeId, 0)
    assert.equal((await findNode(storage, nodeId))?.renewals, 4)
  })

  test('learns of no members from a server that has not what the node has followed', async (t) => {
    const schema = new PostgresSchema(t, url ?? '')
    const storage = await schema.open({ listen: false })
    await settle(storage)
    const nodeId = await joinNode(storage)
    await storage.follow(genesis(installation.epoch), () => {})
    const { seq } = await appendEntry(storage)
    assert.deepEqual(
      (await storage.membership.members()).map((member) => member.nodeId),
      [nodeId],
    )
    await go(schema, 'revocation_log', `UPDATE revocation_log SET hash = 'another' WHERE seq = ${seq}`)
    await assert.rejects(storage.membership.members(), Unavailable)
  })
})
