import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { genesis, Unavailable } from '@rescind/protocol'
import { databaseForTests } from '../../../../postgres/database-for-tests.ts'
import { migrate } from '../../storage/postgres/migrations.ts'
import { StorageRefused } from '../../storage/storage.ts'
import { appendEntry, installation, issue, joinNode, NOW_MS, numbers, revoke, settle } from './fixtures.ts'
import { PostgresSchema } from './postgres-schema.ts'

const { url = '', skip } = await databaseForTests()

const clock = { nowMs: () => NOW_MS }

describe('opening a PostgreSQL database', { skip }, () => {
  test('ten at once make the tables once, with the name and time of each migration', async (t) => {
    const schema = new PostgresSchema(t, url)
    const opened = await Promise.all(numbers(10).map(() => schema.open({ poolSize: 1 })))
    assert.equal(opened.length, 10)
    assert.deepEqual(
      await schema.query(
        'SELECT version::int, name, applied_at_ms::text AS at FROM schema_migrations ORDER BY version',
      ),
      ['tables', 'guards', 'nodes', 'epochs'].map((name, i) => ({ version: i + 1, name, at: String(NOW_MS) })),
    )
  })

  test('waits for whoever makes the tables, longer than for anything else', async (t) => {
    const schema = new PostgresSchema(t, url)
    const other = await schema.session()
    await other.query('BEGIN')
    await other.query(`SELECT pg_advisory_xact_lock(hashtextextended('rescind migrations ' || $1, 0))`, [schema.name])
    const opened = schema.open()
    await other.query('SELECT pg_sleep(6)')
    await other.query('COMMIT')
    await opened
  })

  test('an interrupted migration leaves nothing behind, and the next one does it all', async (t) => {
    const schema = new PostgresSchema(t, url)
    const halves = [
      { version: 1, name: 'first', sql: 'CREATE TABLE first (id INT)' },
      { version: 2, name: 'second', sql: 'CREATE TABLE second (id INT); SELECT 1 / 0' },
    ]
    const client = await schema.session()
    await assert.rejects(migrate(client, schema.name, clock, halves), /division by zero/)
    await client.query('ROLLBACK')
    assert.deepEqual(await schema.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema.name]), [])
    const killed = await schema.session()
    const waiting = [{ version: 1, name: 'first', sql: 'CREATE TABLE first (id INT); SELECT pg_sleep(60)' }]
    const interrupted = assert.rejects(migrate(killed, schema.name, clock, waiting))
    const asleep = `SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()`
    while ((await client.query(asleep)).rowCount === 0);
    await client.query(`SELECT pg_terminate_backend(pid) FROM (${asleep}) AS sleeping`)
    await interrupted
    await settle(await schema.open())
    assert.deepEqual(await schema.query(`SELECT to_regclass('first') AS first`), [{ first: null }])
  })

  test('brings a database of an earlier version up to date, and loses nothing', async (t) => {
    const schema = new PostgresSchema(t, url)
    const first = await schema.open()
    const world = await settle(first)
    for (const _ of numbers(3)) await first.transact(async (tx) => revoke(tx, (await issue(tx, world)).idx))
    await first.close()
    await schema.query('DROP TABLE nodes')
    await schema.query('DROP FUNCTION epoch_new CASCADE')
    await schema.query('DROP FUNCTION epoch_within_counter CASCADE')
    await schema.query('DROP FUNCTION epoch_after')
    await schema.query(
      `DO $$ DECLARE made record; BEGIN FOR made IN SELECT oid::regprocedure AS name FROM pg_proc
         WHERE pronamespace = current_schema()::regnamespace AND proname LIKE 'node\\_%'
       LOOP EXECUTE 'DROP FUNCTION ' || made.name; END LOOP; END $$`,
    )
    await schema.query('DELETE FROM schema_migrations WHERE version > 2')
    const storage = await schema.open()
    assert.equal((await storage.membership.renew(await joinNode(storage), 0))?.seq, 3)
    assert.equal((await storage.read.entriesAfter(0, 10)).length, 3)
  })

  test('is refused when a newer version wrote it', async (t) => {
    const schema = new PostgresSchema(t, url)
    await (await schema.open()).close()
    await schema.query(`INSERT INTO schema_migrations VALUES (99, 'from the future', 1)`)
    await assert.rejects(schema.open(), (error) => {
      assert.ok(error instanceof StorageRefused)
      assert.match(error.message, /schema version 99 .* newer program/)
      return true
    })
    assert.deepEqual(
      await schema.query('SELECT count(*)::int AS versions FROM schema_migrations'),
      [{ versions: 5 }],
      'and nothing was done to it',
    )
  })

  test('is over when a newer version has migrated it: the next connections are refused, until it is undone', async (t) => {
    const schema = new PostgresSchema(t, url)
    const node = await schema.open()
    const world = await settle(node)
    const nodeId = await joinNode(node)
    await schema.query(`INSERT INTO schema_migrations VALUES (99, 'from the future', 1)`)
    await schema.terminate(node)
    for (const call of [
      () => appendEntry(node),
      () => node.membership.renew(nodeId, 0),
      () => node.read.business(world.business.id),
    ]) {
      // The pool may still hold a connection that it does not know to be gone.
      for (;;) {
        const refusal: unknown = await call().catch((error: unknown) => error)
        assert.ok(refusal instanceof Unavailable)
        if (!(refusal.cause instanceof StorageRefused)) continue
        assert.match(refusal.cause.message, /schema version 99 .* newer program/)
        break
      }
    }
    assert.deepEqual(await schema.query('SELECT 1 FROM revocation_log'), [])
    await schema.query('DELETE FROM schema_migrations WHERE version = 99')
    assert.equal((await appendEntry(node)).seq, 1)
  })

  test('is refused where text is not stored as UTF-8', async (t) => {
    const schema = new PostgresSchema(t, url)
    const latin = new URL(url)
    latin.pathname = `/latin_${schema.name}`
    await schema.query(
      `CREATE DATABASE latin_${schema.name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C'`,
    )
    t.after(() => schema.query(`DROP DATABASE latin_${schema.name} WITH (FORCE)`))
    await assert.rejects(schema.open({ url: latin.href }), (error) => {
      assert.ok(error instanceof StorageRefused)
      assert.match(error.message, /stores text as LATIN1/)
      return true
    })
  })

  test('whoever owns the schema needs no right to create one; who may do neither is told', async (t) => {
    const schema = new PostgresSchema(t, url)
    const role = `role_${schema.name}`
    await schema.query(`CREATE ROLE ${role} LOGIN PASSWORD '${role}'`)
    t.after(() => schema.query(`DROP ROLE ${role}`))
    const own = new URL(url)
    own.username = role
    own.password = role
    await assert.rejects(schema.open({ url: own.href }), /may not create or use the schema/)
    await schema.query(`CREATE SCHEMA ${schema.name} AUTHORIZATION ${role}`)
    await settle(await schema.open({ url: own.href }))
  })

  for (const setting of [
    'bytea_output=escape',
    'default_transaction_isolation=serializable',
    'default_transaction_isolation=repeatable\\ read',
    'datestyle=SQL',
    'extra_float_digits=-15',
    'standard_conforming_strings=off',
    'search_path=pg_temp',
    'timezone=Asia/Kathmandu',
    'client_encoding=LATIN1',
  ]) {
    test(`${setting.replace('\\', '')}, set for a role or a database, changes nothing`, async (t) => {
      const schema = new PostgresSchema(t, url)
      const unusual = new URL(url)
      unusual.searchParams.set('options', `-c ${setting}`)
      const nodes = [await schema.open({ url: unusual.href }), await schema.open({ url: unusual.href })] as const
      const world = await settle(nodes[0])
      assert.deepEqual(await nodes[1].read.signingKeys(), [world.key])
      assert.deepEqual(await nodes[1].read.business(world.business.id), world.business)
      const delivered: number[] = []
      await nodes[0].follow(genesis(installation.epoch), (entries) => delivered.push(...entries.map(({ seq }) => seq)))
      const rounds = numbers(20).map(() => Promise.all(nodes.map((node) => appendEntry(node))))
      const seqs = (await Promise.all(rounds)).flat().map(({ seq }) => seq)
      assert.deepEqual(
        seqs.toSorted((a, b) => a - b),
        numbers(40).map((i) => i + 1),
      )
      await appendEntry(nodes[0])
      assert.deepEqual(
        delivered,
        numbers(41).map((i) => i + 1),
      )
    })
  }
})
