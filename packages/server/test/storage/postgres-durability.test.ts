import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { type Entry, genesis, Unavailable } from '@rescind/protocol'
import { databaseForTests } from '../../../../postgres/database-for-tests.ts'
import type { PostgresServer } from '../../../../postgres/postgres-server.ts'
import { startPostgres } from '../../../../postgres/start-postgres.ts'
import { StorageRefused } from '../../storage/storage.ts'
import { appendEntry, findNode, installation, issue, joinNode, NOW_MS, newBusiness, settle } from './fixtures.ts'
import { type OpenedNode, PostgresSchema } from './postgres-schema.ts'

const { skip } = await databaseForTests()

describe('on a PostgreSQL server', { skip }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.stop())

  async function set(setting: string, value: string): Promise<void> {
    await server.query(`ALTER SYSTEM SET ${setting} = ${value}`)
    await reload(setting, value.replaceAll("'", ''))
  }

  async function reset(setting: string, value: string): Promise<void> {
    await server.query(`ALTER SYSTEM RESET ${setting}`)
    await reload(setting, value)
  }

  /** Resolves when new connections see it: the server hears of it as of any signal. */
  async function reload(setting: string, value: string): Promise<void> {
    await server.query('SELECT pg_reload_conf()')
    while ((await server.query('SELECT current_setting($1) AS value', [setting]))[0]?.value !== value);
  }

  async function isUnavailable(outcome: Promise<unknown>): Promise<void> {
    await assert.rejects(outcome, (error) => error instanceof Unavailable)
  }

  describe('whose synchronous standby is away', () => {
    /** Does something to the session of the node that waits for the standby, as soon as there is one. */
    async function toWhoeverWaits(node: OpenedNode, what: 'pg_cancel_backend' | 'pg_terminate_backend'): Promise<void> {
      const waiting = `SELECT ${what}(pid) FROM pg_stat_activity WHERE application_name = $1 AND wait_event = 'SyncRep'`
      while ((await server.query(waiting, [node.application])).length === 0);
    }

    async function alone(schema: PostgresSchema) {
      const node = await schema.open()
      const world = await settle(node)
      const token = await node.transact((tx) => issue(tx, world))
      const nodeId = await joinNode(node)
      const delivered: Entry[] = []
      await node.follow(genesis(installation.epoch), (entries) => delivered.push(...entries))
      await set('synchronous_standby_names', "'absent'")
      return { node, world, token, nodeId, delivered }
    }

    for (const [what, { interrupt, level }] of Object.entries({
      'comes with a warning': { interrupt: 'pg_cancel_backend', level: 'notice' },
      'would come with a warning, if the database told of any,': { interrupt: 'pg_cancel_backend', level: 'error' },
      'never comes': { interrupt: 'pg_terminate_backend', level: 'notice' },
    } as const)) {
      /** Sets what the database tells everybody who does not ask for more. */
      async function tellOnly(t: TestContext): Promise<void> {
        // First of all when a test has failed: whatever else ends it waits for the standby, too.
        t.after(() => reset('synchronous_standby_names', ''))
        await server.query(`ALTER DATABASE postgres SET client_min_messages = ${level}`)
      }

      test(`a commit whose answer ${what} is acknowledged to nobody, though it is there, and neither is who finds it done`, async (t) => {
        await tellOnly(t)
        const schema = new PostgresSchema(t, server.url)
        const { node, delivered } = await alone(schema)
        const written = isUnavailable(appendEntry(node))
        const mate = isUnavailable(node.transact((tx) => tx.upsertBusiness({ ...newBusiness(), id: 'mate' })))
        await toWhoeverWaits(node, interrupt)
        await Promise.all([written, mate])
        assert.equal((await schema.query('SELECT 1 FROM revocation_log')).length, 1)
        while (delivered.length === 0) await node.read.head()

        const found = isUnavailable(node.transact((tx) => tx.entriesAfter(0, 1)))
        await toWhoeverWaits(node, interrupt)
        await found
        await reset('synchronous_standby_names', '')
        assert.equal((await node.transact((tx) => tx.entriesAfter(0, 9))).length, 1)
        assert.equal((await appendEntry(node)).seq, 2)
        assert.deepEqual(
          delivered.map(({ seq }) => seq),
          [1, 2],
        )
      })

      test(`a renewal whose answer ${what} is none, though it is there, and neither is a new member or one that grants`, async (t) => {
        await tellOnly(t)
        const schema = new PostgresSchema(t, server.url)
        const { node, nodeId } = await alone(schema)
        for (const change of [
          () => node.membership.renew(nodeId, 0),
          () => node.membership.join({ nodeId: 'other', leaseMs: 1000 }),
          () => node.membership.announceGrants('other'),
          () => node.membership.leave('other'),
        ]) {
          const changed = isUnavailable(change())
          await toWhoeverWaits(node, interrupt)
          await changed
        }
        assert.equal((await findNode(node, nodeId))?.renewals, 1)
        await reset('synchronous_standby_names', '')
        assert.ok(await node.membership.renew(nodeId, 0))
      })
    }

    test('what is committed is answered in time and acknowledged to nobody; when it is back everything is there', async (t) => {
      const schema = new PostgresSchema(t, server.url)
      const { node, nodeId, delivered } = await alone(schema)
      await Promise.all([isUnavailable(appendEntry(node)), isUnavailable(node.membership.renew(nodeId, 0))])
      // Both wait for a session that waits for the standby.
      await Promise.all([isUnavailable(appendEntry(node)), isUnavailable(node.membership.renew(nodeId, 0))])
      assert.deepEqual(delivered, [])
      assert.equal((await node.read.head()).seq, 0)
      await reset('synchronous_standby_names', '')
      while (delivered.length === 0) await node.read.head()
      assert.equal((await appendEntry(node)).seq, 2)
      assert.equal((await findNode(node, nodeId))?.renewals, 1)
    })

    test('a report is told all the same: losing it costs a wait and nothing else', async (t) => {
      const schema = new PostgresSchema(t, server.url)
      const { node, nodeId } = await alone(schema)
      await node.membership.report(nodeId, 7)
      assert.equal((await findNode(node, nodeId))?.inForceSeq, 7)
      await reset('synchronous_standby_names', '')
    })
  })

  for (const setting of ['fsync', 'full_page_writes', 'synchronous_commit']) {
    test(`that keeps nothing any more (${setting} = off), nothing is done after a connection is made anew, until it does`, async (t) => {
      const schema = new PostgresSchema(t, server.url)
      const node = await schema.open()
      const world = await settle(node)
      const nodeId = await joinNode(node)
      await set(setting, 'off')
      await schema.terminate(node)
      for (const call of [
        () => appendEntry(node),
        () => node.membership.renew(nodeId, 0),
        () => node.membership.members(),
        () => node.read.business(world.business.id),
      ]) {
        // The pool may still hold a connection that it does not know to be gone.
        for (;;) {
          const refusal: unknown = await call().catch((error: unknown) => error)
          assert.ok(refusal instanceof Unavailable)
          if (!(refusal.cause instanceof StorageRefused)) continue
          assert.match(refusal.cause.message, new RegExp(`${setting} = off`))
          break
        }
      }
      assert.equal((await schema.query('SELECT 1 FROM revocation_log')).length, 0)
      await reset(setting, 'on')
      assert.equal((await appendEntry(node)).seq, 1)
      assert.ok(await node.membership.renew(nodeId, 0))
    })
  }

  test('that is killed, what was acknowledged is there afterwards, and nodes go on by themselves', async (t) => {
    const schema = new PostgresSchema(t, server.url)
    const node = await schema.open()
    await settle(node)
    const nodeId = await joinNode(node)
    const delivered: Entry[] = []
    await node.follow(genesis(installation.epoch), (entries) => delivered.push(...entries))
    const acknowledged: Entry[] = []
    for (const _ of [1, 2]) {
      let isDown = false
      const writing = (async () => {
        while (!isDown) await appendEntry(node).then((entry) => acknowledged.push(entry), isUnavailableError)
      })()
      const before = acknowledged.length
      while (acknowledged.length < before + 20) await new Promise((resolve) => setImmediate(resolve))
      await server.kill()
      isDown = true
      await writing
      await isUnavailable(appendEntry(node))
      await server.start()
      while (!(await node.membership.renew(nodeId, 0).catch(() => undefined)));
    }
    const last = await appendEntry(node)
    const log = await node.read.entriesAfter(0, 10_000)
    for (const entry of acknowledged) assert.deepEqual(log[entry.seq - 1], entry)
    assert.deepEqual(delivered, log)
    assert.equal(last.seq, log.length)
    assert.equal(last.atMs, NOW_MS)
  })

  test('that stands still, everything is answered, and the storage can be closed', async (t) => {
    const schema = new PostgresSchema(t, server.url)
    const node = await schema.open()
    const world = await settle(node)
    const nodeId = await joinNode(node)
    const delivered: Entry[] = []
    await node.follow(genesis(installation.epoch), (entries) => delivered.push(...entries))
    server.pause()
    try {
      await Promise.all([
        isUnavailable(appendEntry(node)),
        isUnavailable(node.membership.renew(nodeId, 0)),
        isUnavailable(node.read.business(world.business.id)),
      ])
      const closing = node.close()
      await closing
    } finally {
      server.resume()
    }
    const again = await schema.open()
    assert.ok((await again.read.head()).seq <= 1)
  })
})

function isUnavailableError(error: unknown): void {
  assert.ok(error instanceof Unavailable, String(error))
}
