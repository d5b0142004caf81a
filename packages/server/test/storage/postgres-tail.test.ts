import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type Entry, genesis, type Timers, Unavailable } from '@rescind/protocol'
import { databaseForTests } from '../../../../postgres/database-for-tests.ts'
import { timers } from '../../machine.ts'
import { appendEntry, assertChain, findNode, installation, joinNode, NOW_MS, numbers, settle } from './fixtures.ts'
import { type OpenedNode, PostgresSchema, withoutPolls } from './postgres-schema.ts'

const { url = '', skip } = await databaseForTests()

const LISTENING = '%pg_backend_pid()%'

describe('nodes on one PostgreSQL database', { skip }, () => {
  async function follow(node: OpenedNode): Promise<Entry[]> {
    const delivered: Entry[] = []
    await node.follow(genesis(installation.epoch), (entries) => delivered.push(...entries))
    return delivered
  }

  async function until(condition: () => unknown): Promise<void> {
    const deadline = performance.now() + 20_000
    while (!(await condition())) {
      assert.ok(performance.now() < deadline, 'it did not happen')
      await delay(5)
    }
  }

  for (const listen of [true, false]) {
    test(`deliver every entry to each other in order, and their own before anybody is told, with notifications ${listen ? 'on' : 'off'}`, async (t) => {
      const schema = new PostgresSchema(t, url)
      const nodes = [await schema.open({ listen }), await schema.open({ listen }), await schema.open({ listen })]
      await settle(nodes[0] as OpenedNode)
      const delivered = await Promise.all(nodes.map(follow))
      const own = nodes.map(async (node, n) => {
        for (const _ of numbers(10)) {
          const written = await Promise.all(numbers(5).map(() => appendEntry(node)))
          for (const entry of written) assert.deepEqual(delivered[n]?.[entry.seq - 1], entry)
        }
      })
      await Promise.all(own)
      await until(() => delivered.every((entries) => entries.length === 150))
      for (const entries of delivered) assertChain(genesis(installation.epoch), entries)
      for (const node of nodes) assert.deepEqual(node.troubles, [])
    })
  }

  test('hear of entries by notification alone, and again after the connection for it was lost, with all that came meanwhile', async (t) => {
    const schema = new PostgresSchema(t, url)
    const [writer, node] = [await schema.open(), await schema.open({ timers: withoutPolls })]
    await settle(writer)
    const delivered = await follow(node)
    await appendEntry(writer)
    await until(() => delivered.length === 1)
    await until(() => schema.terminate(node, LISTENING))
    await until(() => node.troubles.length > 0)
    await appendEntry(writer)
    await until(() => delivered.length === 2)
    await appendEntry(writer)
    await until(() => delivered.length === 3)
  })

  test('find entries by looking while the connection for notifications is lost', async (t) => {
    const schema = new PostgresSchema(t, url)
    const writer = await schema.open({ listen: false })
    const node = await schema.open()
    await settle(writer)
    const delivered = await follow(node)
    for (const length of numbers(5)) {
      await schema.terminate(node, LISTENING)
      await appendEntry(writer)
      await until(() => delivered.length > length)
    }
  })

  test('have what others wrote before they are told what a transaction of their own found, even one that writes nothing', async (t) => {
    const schema = new PostgresSchema(t, url)
    const writer = await schema.open({ listen: false })
    const node = await schema.open({ listen: false, timers: withoutPolls })
    await settle(writer)
    const delivered = await follow(node)
    for (const length of numbers(5)) {
      const { seq } = await appendEntry(writer)
      assert.equal((await node.transact((tx) => tx.head())).seq, seq)
      assert.equal(delivered.length, length + 1)
    }
  })

  test('hear of reports, each of others and none of its own', async (t) => {
    const schema = new PostgresSchema(t, url)
    const [one, other] = [await schema.open(), await schema.open()]
    await settle(one)
    const heard = [0, 0]
    for (const [n, node] of [one, other].entries()) node.membership.onReport(() => (heard[n] = (heard[n] ?? 0) + 1))
    const nodeId = await joinNode(one)
    await until(async () => {
      await one.membership.report(nodeId, 0)
      return (heard[1] ?? 0) >= 3
    })
    // A connection says once that there may have been something before it listened.
    assert.ok((heard[0] ?? 0) <= 1)
  })

  describe('whose history is not the one that a node has followed', () => {
    /** Puts back what the first three entries were. */
    const PUT_BACK = `
      ALTER TABLE revocation_log DISABLE TRIGGER USER; ALTER TABLE log_head DISABLE TRIGGER USER;
      DELETE FROM revocation_log WHERE seq > 3;
      UPDATE log_head SET seq = 3, hash = (SELECT hash FROM revocation_log WHERE seq = 3);
      ALTER TABLE revocation_log ENABLE TRIGGER USER; ALTER TABLE log_head ENABLE TRIGGER USER`

    for (const [what, later] of Object.entries({
      'older copy': 0,
      'older copy that went on as far': 2,
      'older copy that went on further': 4,
    })) {
      async function world(t: TestContext, timers: Timers = withoutPolls) {
        const schema = new PostgresSchema(t, url)
        const node = await schema.open({ listen: false, timers })
        await settle(node)
        const delivered = await follow(node)
        const nodeId = await joinNode(node)
        for (const _ of numbers(5)) await appendEntry(node)
        await node.membership.renew(nodeId, 2)
        await schema.query(PUT_BACK)
        const other = await schema.open({ listen: false })
        for (const i of numbers(later)) {
          await other.transact((tx) => tx.appendEntry({ kind: 'token_revoked', idx: 1000 + i }, NOW_MS))
        }
        const rows = () => schema.query('SELECT * FROM nodes')
        const log = () => schema.query('SELECT seq, hash FROM revocation_log ORDER BY seq')
        return { node, nodeId, delivered, other, rows, log }
      }

      async function assertFailed(node: OpenedNode): Promise<void> {
        assert.match(String((await node.failed).cause), /has another history .* entry 5/)
        await assert.rejects(appendEntry(node), Unavailable)
        await assert.rejects(node.read.head(), Unavailable)
        await assert.rejects(node.membership.members(), Unavailable)
      }

      test(`which is an ${what}: a write fails, leaves nothing, and so does its node`, async (t) => {
        const { node, log } = await world(t)
        const before = await log()
        const written = await Promise.allSettled(numbers(3).map(() => appendEntry(node)))
        for (const outcome of written) assert.ok(outcome.status === 'rejected' && outcome.reason instanceof Unavailable)
        assert.deepEqual(await log(), before)
        await assertFailed(node)
      })

      test(`which is an ${what}: a renewal is none, and its node fails`, async (t) => {
        const { node, nodeId, rows } = await world(t)
        const before = await rows()
        await assert.rejects(node.membership.renew(nodeId, 5), Unavailable)
        assert.deepEqual(await rows(), before)
        await assertFailed(node)
      })

      test(`which is an ${what}: a report is none, and its node fails`, async (t) => {
        const { node, nodeId, other, rows } = await world(t)
        const before = await rows()
        await assert.rejects(node.membership.report(nodeId, 5), Unavailable)
        assert.deepEqual(await rows(), before)
        assert.equal((await findNode(other, nodeId))?.inForceSeq, 2)
        await assertFailed(node)
      })

      test(`which is an ${what}: its node fails as it looks at the log`, async (t) => {
        const { node, delivered } = await world(t, timers)
        await assertFailed(node)
        assert.equal(delivered.length, 5)
      })
    }

    test('and is that of another installation: whoever follows it from a position of the first one fails', async (t) => {
      const schema = new PostgresSchema(t, url)
      const node = await schema.open()
      await settle(node)
      for (const _ of numbers(3)) await appendEntry(node)
      const position = { epoch: installation.epoch, seq: 2, hash: randomUUID() }
      await assert.rejects(node.follow(position, () => assert.fail('delivered')))
      assert.ok((await node.failed) instanceof Unavailable)
    })
  })
})
