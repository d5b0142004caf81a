import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type Entry, genesis, Unavailable } from '@rescind/protocol'
import { Client } from 'pg'
import { databaseForTests } from '../../../../postgres/database-for-tests.ts'
import { timers } from '../../machine.ts'
import { DEADLINE_MS } from '../../storage/postgres/deadline.ts'
import { withoutWarning } from '../../storage/postgres/durable-transaction.ts'
import type { Transaction } from '../../storage/storage.ts'
import {
  appendEntry,
  assertChain,
  installation,
  issue,
  newBusiness,
  numbers,
  revoke,
  settle,
  type World,
} from './fixtures.ts'
import { type OpenedNode, PostgresSchema } from './postgres-schema.ts'

const { url = '', skip } = await databaseForTests()

describe('a batch of units on PostgreSQL', { skip }, () => {
  async function world(t: TestContext): Promise<{ schema: PostgresSchema; node: OpenedNode; world: World }> {
    const schema = new PostgresSchema(t, url)
    const node = await schema.open()
    return { schema, node, world: await settle(node) }
  }

  async function assertUnavailable(outcomes: readonly Promise<unknown>[]): Promise<void> {
    for (const outcome of await Promise.allSettled(outcomes)) {
      assert.ok(outcome.status === 'rejected' && outcome.reason instanceof Unavailable, JSON.stringify(outcome))
    }
  }

  const save = (node: OpenedNode, name: string) =>
    node.transact((tx) => tx.upsertBusiness({ ...newBusiness(), id: name, name }))

  const saved = async (schema: PostgresSchema) =>
    (await schema.query<{ id: string }>('SELECT id FROM businesses WHERE id = name ORDER BY id')).map(({ id }) => id)

  const refused: Record<string, (tx: Transaction, world: World) => Promise<unknown>> = {
    'the database itself refuses': (tx) => tx.insertToken({ ...TOKEN, idx: 77 }),
    'breaks a constraint': (tx, { member }) => tx.upsertMember({ ...member, businessId: 'nowhere' }),
    'has a value that cannot be': (tx, { member }) => tx.upsertMember({ ...member, role: 'king' as 'owner' }),
    'changes a row that is not there': (tx) => tx.markRevoked(9, { seq: 1, atMs: 1, by: null, reason: null }),
    'retires a key that is not there': (tx) => tx.markKeyRetired('nowhere', 1),
  }
  const TOKEN = {
    ...{ id: 'id', jti: 'jti', businessId: null, userId: 'user', kid: 'kid', name: 'name', description: null },
    ...{ scopes: [], createdAtMs: 1, expiresAtMs: 2, issuedBy: null },
  }
  for (const [what, statement] of Object.entries(refused)) {
    test(`in which one ${what} loses that one alone`, async (t) => {
      const { schema, node, world: made } = await world(t)
      const outcomes = await Promise.allSettled([
        save(node, 'before'),
        node.transact(async (tx) => {
          await tx.upsertBusiness({ ...newBusiness(), id: 'inside', name: 'inside' })
          await statement(tx, made)
        }),
        save(node, 'later'),
      ])
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['fulfilled', 'rejected', 'fulfilled'],
      )
      const [, outcome] = outcomes
      assert.ok(outcome?.status === 'rejected' && !(outcome.reason instanceof Unavailable), String(outcome))
      assert.deepEqual(await saved(schema), ['before', 'later'])
    })
  }

  /** A unit that has begun to write, and waits. */
  function stalled(node: OpenedNode) {
    const begun = Promise.withResolvers<void>()
    const proceed = Promise.withResolvers<void>()
    const outcome = node.transact(async (tx) => {
      await tx.upsertBusiness({ ...newBusiness(), id: 'stalled', name: 'stalled' })
      await tx.nextIdx()
      begun.resolve()
      await proceed.promise
      await tx.nextIdx()
    })
    return { begun: begun.promise, proceed: proceed.resolve, outcome }
  }

  test('whose connection is lost while a unit thinks is undone as a whole, and the next one goes on', async (t) => {
    const { schema, node } = await world(t)
    const mates = [save(node, 'a')]
    const { begun, proceed, outcome } = stalled(node)
    mates.push(save(node, 'b'))
    await begun
    assert.ok((await schema.terminate(node)) >= 1)
    proceed()
    await assertUnavailable([...mates, outcome])
    assert.deepEqual(await saved(schema), [])
    await save(node, 'c')
    assert.deepEqual(await saved(schema), ['c'])
  })

  test('in which a unit takes longer than a transaction may stand still is undone, and others did not wait for it longer', async (t) => {
    const { schema, node } = await world(t)
    const other = await schema.open()
    const { begun, proceed, outcome } = stalled(node)
    await begun
    await save(other, 'other')
    proceed()
    await assertUnavailable([outcome])
    assert.deepEqual(await saved(schema), ['other'])
  })

  test('in which a statement is cancelled is undone as a whole, and the next one goes on', async (t) => {
    const { schema, node } = await world(t)
    const other = await schema.session()
    await other.query('BEGIN; LOCK TABLE businesses IN SHARE MODE')
    const outcomes = ['a', 'b', 'c'].map((name) => save(node, name))
    const settled = assertUnavailable(outcomes)
    const waiting = `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'`
    while ((await other.query(waiting, [node.application])).rowCount === 0);
    await settled
    await other.query('COMMIT')
    assert.deepEqual(await saved(schema), [])
    await save(node, 'd')
    assert.deepEqual(await saved(schema), ['d'])
  })

  test('that was the victim of a deadlock is run again', async (t) => {
    const { schema, node, world: made } = await world(t)
    const other = await schema.session()
    await other.query(`SET deadlock_timeout = '1min'; BEGIN`)
    await other.query('SELECT 1 FROM businesses WHERE id = $1 FOR UPDATE', [made.business.id])
    let runs = 0
    const outcome = node.transact(async (tx) => {
      runs += 1
      await tx.upsertBusiness({ ...made.business, name: 'after all' })
      return tx.nextIdx()
    })
    const mate = save(node, 'mate')
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'`
    while ((await other.query(waiting, [node.application])).rowCount === 0);
    await other.query('SELECT 1 FROM log_head FOR UPDATE')
    await other.query('COMMIT')
    await Promise.all([outcome, mate])
    assert.equal(runs, 2)
    assert.equal((await node.read.business(made.business.id))?.name, 'after all')
    assert.deepEqual(await saved(schema), ['mate'])
  })

  test('that cannot be serialised is run again, and no more than five times', async (t) => {
    const { schema, node } = await world(t)
    await schema.query(`
      CREATE SEQUENCE tries;
      CREATE FUNCTION hinder() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('${schema.name}.tries') % 10 < 5 THEN RAISE EXCEPTION 'hindered' USING ERRCODE = '40001'; END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER hinder BEFORE INSERT ON businesses FOR EACH ROW EXECUTE FUNCTION hinder()`)
    let runs = 0
    const hindered = (name: string) =>
      node.transact(async (tx) => {
        runs += 1
        await tx.upsertBusiness({ ...newBusiness(), id: name, name })
      })
    await hindered('a')
    assert.equal(runs, 5)
    await schema.query(`SELECT setval('tries', 9)`)
    await assertUnavailable([hindered('b')])
    assert.equal(runs, 10)
    assert.deepEqual(await saved(schema), ['a'])
  })

  /** Has a batch wait for the head of the log, which another session holds. */
  async function stuck(schema: PostgresSchema, node: OpenedNode) {
    const holder = await schema.session()
    await holder.query('BEGIN')
    await holder.query('SELECT 1 FROM log_head FOR UPDATE')
    const batch = numbers(3).map(() => appendEntry(node))
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'`
    while ((await holder.query(waiting, [node.application])).rowCount === 0);
    return { batch, release: () => holder.query('ROLLBACK') }
  }

  test('that waits for a lock which is not given up is answered all the same, with all who wait behind it, and the next one goes on', async (t) => {
    const { schema, node } = await world(t)
    const { batch, release } = await stuck(schema, node)
    const behind = numbers(100).map(() => appendEntry(node))
    await assertUnavailable([...batch, ...behind])
    await release()
    assert.equal((await appendEntry(node)).seq, 1)
  })

  test('is given up in time, and so is who waits behind it, and none of it happens later', async (t) => {
    const schema = new PostgresSchema(t, url)
    const deadlines = new Set<() => void>()
    const after = (delayMs: number, run: () => void) => {
      if (delayMs !== DEADLINE_MS) return timers.after(delayMs, run)
      deadlines.add(run)
      return () => deadlines.delete(run)
    }
    const node = await schema.open({ timers: { after } })
    await settle(node)
    const { batch, release } = await stuck(schema, node)
    let runs = 0
    const behind = numbers(100).map(() =>
      node.transact(async () => {
        runs += 1
      }),
    )
    assert.equal(deadlines.size, 103)
    for (const passed of deadlines) passed()
    await assertUnavailable([...batch, ...behind])
    await release()
    assert.equal((await appendEntry(node)).seq, 1)
    assert.equal(runs, 0)
  })

  test('is acknowledged only if it is there, however often connections are lost, and what is there is handed on', async (t) => {
    const { schema, node, world: made } = await world(t)
    const delivered: Entry[] = []
    await node.follow(genesis(installation.epoch), (entries) => delivered.push(...entries))
    let isOver = false
    const killing = (async () => {
      while (!isOver) {
        await schema.terminate(node)
        await delay(7)
      }
    })()
    const acknowledged: Entry[] = []
    let lost = 0
    const writing = numbers(10).map(async () => {
      for (const _ of numbers(20)) {
        await node
          .transact(async (tx) => {
            const token = await issue(tx, made)
            const { seq } = await revoke(tx, token.idx)
            return (await tx.entriesAfter(seq - 1, 1))[0] as Entry
          })
          .then(
            (entry) => acknowledged.push(entry),
            (error: unknown) => {
              assert.ok(error instanceof Unavailable, String(error))
              lost += 1
            },
          )
      }
    })
    await Promise.all(writing)
    isOver = true
    await killing
    const last = await appendEntry(node)
    const log = await node.read.entriesAfter(0, 1000)
    assertChain(genesis(installation.epoch), log)
    assert.deepEqual(delivered, log)
    assert.equal(log.at(-1)?.seq, last.seq)
    for (const entry of acknowledged) assert.deepEqual(log[entry.seq - 1], entry)
    assert.ok(acknowledged.length > 0 && lost > 0, `${acknowledged.length} acknowledged, ${lost} lost`)
    const marked = await schema.query('SELECT revoked_seq FROM tokens WHERE revoked_seq IS NOT NULL')
    assert.equal(marked.length, log.length - 1, 'each entry has its token, and each token its entry')
  })
})

describe('the membership on PostgreSQL', { skip }, () => {
  test('goes on while every connection for reads is taken, and those who wait for one are answered', async (t) => {
    const schema = new PostgresSchema(t, url)
    const node = await schema.open({ poolSize: 2 })
    const world = await settle(node)
    await node.membership.join({ nodeId: 'node', leaseMs: 30_000 })
    const other = await schema.session()
    await other.query('BEGIN; LOCK TABLE businesses IN ACCESS EXCLUSIVE MODE')
    let answered = 0
    const reads = numbers(10).map(() =>
      assert.rejects(node.read.business(world.business.id), Unavailable).then(() => {
        answered += 1
      }),
    )
    await node.membership.renew('node', 0)
    await node.membership.report('node', 0)
    assert.equal((await node.membership.members()).length, 1)
    assert.equal(answered, 0)
    await Promise.all(reads)
    await other.query('ROLLBACK')
    assert.ok(await node.read.business(world.business.id))
  })

  test('loses nothing but the call when connections are lost, and goes on', async (t) => {
    const schema = new PostgresSchema(t, url)
    const node = await schema.open()
    await settle(node)
    await node.membership.join({ nodeId: 'node', leaseMs: 30_000 })
    let renewals = 0
    for (const _ of numbers(20)) {
      const calls = Promise.allSettled([node.membership.renew('node', 0), node.membership.members()])
      await schema.terminate(node)
      const [renewal] = await calls
      if (renewal?.status === 'fulfilled') renewals += 1
      else assert.ok(renewal?.reason instanceof Unavailable)
    }
    const [row] = await schema.query<{ renewals: number }>('SELECT renewals::int FROM nodes')
    assert.ok((row?.renewals ?? 0) >= renewals)
    while (!(await node.membership.renew('node', 0).catch(() => undefined)));
  })
})

test('a warning of the server is told by its SQLSTATE, in whatever language', async () => {
  const client = new Client()
  const told = (code: string) =>
    withoutWarning(client, async () => {
      client.emit('notice', { severity: 'WARNUNG', code, message: 'Warten auf synchrone Replikation wird storniert' })
      return 'done'
    })
  await assert.rejects(told('01000'), /01000/)
  await assert.rejects(told('57P01'), /57P01/)
  assert.equal(await told('00000'), 'done')
  assert.equal(client.listenerCount('notice'), 0)
})
