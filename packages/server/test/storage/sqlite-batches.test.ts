import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { Unavailable } from '@rescind/protocol'
import { GroupCommit } from '../../storage/sqlite/group-commit.ts'
import type { UnitScope } from '../../storage/sqlite/unit-scope.ts'

describe('a batch of units', () => {
  let db: DatabaseSync
  let commits: GroupCommit
  beforeEach(() => {
    db = new DatabaseSync(':memory:')
    db.exec('PRAGMA max_page_count = 20; CREATE TABLE notes (text TEXT NOT NULL CHECK (length(text) > 0)) STRICT')
    commits = new GroupCommit(db, () => {})
  })
  afterEach(() => db.close())

  const note = (scope: UnitScope, text: string) =>
    scope.run(() => {
      db.prepare('INSERT INTO notes VALUES (?)').run(text)
    })
  const write = (text: string) => commits.submit((scope) => note(scope, text))
  const notes = () =>
    db
      .prepare('SELECT text FROM notes')
      .all()
      .map(({ text }) => text)
  const tooMuch = 'x'.repeat(1 << 20)

  test('that meets a full database before its commit is undone as a whole, and the next one goes on', async () => {
    const outcomes = await Promise.allSettled([write('a'), write(tooMuch), write('c')])
    for (const outcome of outcomes) assert.ok(outcome.status === 'rejected' && outcome.reason instanceof Unavailable)
    assert.deepEqual(notes(), [])
    assert.equal(commits.failure, undefined)
    await write('d')
    assert.deepEqual(notes(), ['d'])
  })

  test('is undone even when the unit that met the fault went on as if nothing had happened', async () => {
    const careless = commits.submit(async (scope) => {
      await note(scope, tooMuch).catch(() => {})
      return 'all is well'
    })
    const outcomes = await Promise.allSettled([write('a'), careless])
    for (const outcome of outcomes) assert.ok(outcome.status === 'rejected' && outcome.reason instanceof Unavailable)
    assert.deepEqual(notes(), [])
  })

  test('shares one commit; a refused statement concerns its own unit only', async () => {
    const outcomes = await Promise.allSettled([write('a'), write(''), write('c')])
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    assert.deepEqual(notes(), ['a', 'c'])
  })

  test('says what it made durable before anyone learns of it, and nothing of what it did not', async () => {
    const durable: string[] = []
    const submit = (text: string) =>
      commits.submit(
        async (scope) => {
          await note(scope, text)
          return text
        },
        (written) => durable.push(written),
      )
    const seenByFirst = submit('a').then(() => [...durable])
    await Promise.allSettled([seenByFirst, submit(''), submit('c')])
    assert.deepEqual(await seenByFirst, ['a', 'c'])
    await Promise.allSettled([submit('d'), submit(tooMuch)])
    assert.deepEqual(durable, ['a', 'c'])
  })

  test('runs in the order of arrival, however many units wait', async () => {
    const order: number[] = []
    const units = Array.from({ length: 1300 }, (_, i) => commits.submit(async () => order.push(i)))
    await Promise.all(units)
    assert.deepEqual(
      order,
      order.map((_, i) => i),
    )
    assert.equal(order.length, 1300)
  })

  test('that finds the database read-only for a moment acknowledges nothing, though the unit did not mind', async () => {
    const careless = commits.submit(async (scope) => {
      await note(scope, 'b')
      db.exec('PRAGMA query_only = ON')
      await note(scope, 'c').catch(() => {})
      db.exec('PRAGMA query_only = OFF')
    })
    const outcomes = await Promise.allSettled([write('a'), careless, write('d')])
    for (const outcome of outcomes) assert.ok(outcome.status === 'rejected' && outcome.reason instanceof Unavailable)
    assert.deepEqual(notes(), [])
  })
})
