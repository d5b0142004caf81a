import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { guards } from '../../storage/sqlite/migrations/0002-guards.ts'
import { openSqlite } from '../../storage/sqlite/open-sqlite.ts'
import { StorageRefused } from '../../storage/storage.ts'
import { issue, NOW_MS, revoke, settle } from './fixtures.ts'

const clock = { nowMs: () => NOW_MS }

/** As earlier versions made them. */
const guardsOfHead = guards.sql
  .split(/\n(?=CREATE TRIGGER)/)
  .filter((trigger) => /^CREATE TRIGGER (?:log_moves_head|head_follows_log) /.test(trigger))
  .join('\n')

describe('opening a data folder', () => {
  let parent: string
  let dataDir: string
  const children: ChildProcess[] = []
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'rescind-open-'))
    dataDir = join(parent, 'deep', 'data')
  })
  afterEach(async () => {
    for (const child of children.splice(0)) await kill(child)
    await rm(parent, { recursive: true })
  })

  const open = () => openSqlite({ dataDir, clock })
  const database = () => join(dataDir, 'rescind.db')
  const refused = (sentence: RegExp) =>
    assert.rejects(open(), (error) => {
      assert.ok(error instanceof StorageRefused, String(error))
      assert.match(error.message, sentence)
      assert.ok(error.message.includes(parent) || /schema version/.test(error.message))
      return true
    })

  /** Changes the database behind the back of the service, which is not running. */
  function tamper(sql: string): void {
    const db = new DatabaseSync(database(), { enableForeignKeyConstraints: false })
    db.exec(sql)
    db.close()
  }

  function fenceTriggers(): string[] {
    const db = new DatabaseSync(database())
    const rows = db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'fenced_%'`).all()
    db.close()
    return rows.map(({ name }) => String(name))
  }

  async function another(): Promise<{ child: ChildProcess; said: string }> {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'folder-holder.ts'), dataDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(child)
    assert.ok(child.stdout)
    const [chunk] = await once(child.stdout, 'data')
    return { child, said: String(chunk).trim() }
  }

  async function kill(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  async function withLog(): Promise<void> {
    const storage = await open()
    const world = await settle(storage)
    await storage.transact(async (tx) => {
      for (let i = 0; i < 5; i++) await revoke(tx, (await issue(tx, world)).idx)
    })
    await storage.close()
  }

  test('makes it, closed to other users', async () => {
    await (await open()).close()
    assert.equal((await stat(dataDir)).mode & 0o777, 0o700)
    assert.equal((await stat(database())).mode & 0o777, 0o600)
  })

  test('is refused to a second process and to this one, until the first is killed', async () => {
    const first = await another()
    assert.equal(first.said, 'open')
    const second = await another()
    assert.match(second.said, /StorageRefused: The data folder .* is in use by another process/)
    await refused(/in use by another process/)

    await kill(first.child)
    const storage = await open()
    await refused(/in use by another process/)
    assert.match((await another()).said, /in use by another process/)
    await storage.close()
    assert.equal((await another()).said, 'open')
  })

  test('keeps its lock when the database file is read by other means', async () => {
    const storage = await open()
    readFileSync(database())
    assert.match((await another()).said, /in use by another process/)
    await storage.close()
  })

  test('records each migration once, with its name and time', async () => {
    await (await open()).close()
    await (await openSqlite({ dataDir, clock: { nowMs: () => NOW_MS + 1 } })).close()
    const db = new DatabaseSync(database())
    const rows = db.prepare('SELECT version, name, applied_at_ms FROM schema_migrations ORDER BY version').all()
    db.close()
    assert.deepEqual(
      rows.map((row) => ({ ...row })),
      [
        { version: 1, name: 'tables', applied_at_ms: NOW_MS },
        { version: 2, name: 'guards', applied_at_ms: NOW_MS },
        { version: 3, name: 'nodes', applied_at_ms: NOW_MS },
        { version: 4, name: 'epochs', applied_at_ms: NOW_MS },
        { version: 5, name: 'fence', applied_at_ms: NOW_MS },
      ],
    )
  })

  test('brings a database of an earlier version up to date, and loses nothing', async () => {
    await withLog()
    tamper(`
      DROP TABLE nodes; DROP TRIGGER epoch_new; DROP TRIGGER epoch_within_counter;
      DROP TRIGGER log_moves_head; DROP TRIGGER head_follows_log; ${guardsOfHead};
      DELETE FROM schema_migrations WHERE version >= 3`)
    for (const name of fenceTriggers()) tamper(`DROP TRIGGER ${name}`)
    tamper('DROP TABLE fence')
    const storage = await open()
    await storage.membership.join({ nodeId: 'a', leaseMs: 2000 })
    assert.equal((await storage.membership.renew('a', 0))?.seq, 5)
    assert.equal((await storage.read.entriesAfter(0, 10)).length, 5)
    const epoch = randomUUID()
    await storage.transact((tx) => tx.appendEntry({ kind: 'epoch_opened', epoch, beforeIdx: 5 }, NOW_MS))
    assert.deepEqual({ ...(await storage.read.head()), hash: '' }, { epoch, seq: 6, hash: '' })
    await storage.close()
  })

  test('is refused when a newer version wrote it', async () => {
    await (await open()).close()
    tamper(`INSERT INTO schema_migrations VALUES (99, 'from the future', 1)`)
    await refused(/schema version 99 .* newer program/)
  })

  test('is refused when it is a file, or below one', async () => {
    await mkdir(join(parent, 'deep'))
    await writeFile(dataDir, 'not a folder')
    await refused(/is not a folder/)
    dataDir = join(dataDir, 'below')
    await refused(/is not a folder/)
  })

  test('is refused when the database is no database', async () => {
    await mkdir(dataDir, { recursive: true })
    await writeFile(database(), 'x'.repeat(8192))
    await refused(/damaged or is not a database/)
  })

  test('is refused when the database is damaged', async () => {
    await withLog()
    const bytes = readFileSync(database())
    bytes.fill(0xa5, 4096)
    await writeFile(database(), bytes)
    await refused(/damaged or is not a database/)
  })

  for (const [what, sql] of Object.entries({
    'an entry is missing at the end': 'DROP TRIGGER log_kept; DELETE FROM revocation_log WHERE seq = 5',
    'an entry is missing in the middle': 'DROP TRIGGER log_kept; DELETE FROM revocation_log WHERE seq = 3',
    'every entry is missing': 'DROP TRIGGER log_kept; DELETE FROM revocation_log',
    'an entry was altered': `DROP TRIGGER log_unchanged; UPDATE revocation_log SET body = '["token_revoked",9]' WHERE seq = 2`,
    'the head was set back': `DROP TRIGGER head_follows_log; UPDATE log_head SET seq = 4, hash = (SELECT hash FROM revocation_log WHERE seq = 4)`,
    'the head is of another log': `DROP TRIGGER head_follows_log; UPDATE log_head SET epoch = 'x'`,
    'the head is missing': 'DROP TRIGGER head_kept; DELETE FROM log_head',
    'an entry is of an unknown kind': `INSERT INTO revocation_log SELECT 6, 'new', '["new"]', 1, hash, 'h' FROM log_head`,
  })) {
    test(`is refused when ${what}`, async () => {
      await withLog()
      tamper(sql)
      await refused(/revocation log in .* (is broken|cannot be read)/)
    })
  }
})
