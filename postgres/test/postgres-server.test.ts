import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import { binariesIn, embeddedBinaries, NoPostgres, noBinaries } from '../binaries.ts'
import type { PostgresServer } from '../postgres-server.ts'
import { startPostgres } from '../start-postgres.ts'
import { startStandby } from '../start-standby.ts'

/** Commits after which a server is killed. */
const KILLED_AFTER = 50

/** The folder of the programs of another PostgreSQL than the embedded one. */
const OTHER = process.env.RESCIND_TEST_POSTGRES_PROGRAMS

const find = () => (OTHER === undefined ? embeddedBinaries() : binariesIn(OTHER))
const skip = noBinaries(find)
if (skip !== false) test('a PostgreSQL server', { skip }, () => {})
else {
  const binaries = find()
  describe(`the PostgreSQL ${OTHER === undefined ? 'that is embedded' : `in ${OTHER}`}`, () => {
    test('answers, keeps what it commits, and leaves nothing behind when it is stopped', async () => {
      const server = await startPostgres({ binaries })
      assert.deepEqual(await server.query('SELECT 1 AS one'), [{ one: 1 }])
      const [settings] = await server.query(
        `SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,
           current_setting('synchronous_commit') AS synchronous_commit`,
      )
      assert.deepEqual(settings, { fsync: 'on', full_page_writes: 'on', synchronous_commit: 'on' })
      const { postmasterPid, folder } = server
      await server.stop()
      assert.throws(() => process.kill(postmasterPid, 0), { code: 'ESRCH' })
      assert.equal(existsSync(folder), false)
    })

    test('has every commit it confirmed after it was killed and started again, on the same port', async (t) => {
      const server = await startPostgres({ binaries })
      t.after(() => server.stop())
      await server.query('CREATE TABLE counted (n int)')
      for (let round = 0; round < 3; round += 1) {
        const confirmed = await countUntilKilled(server)
        await server.start()
        await assertKept(server, confirmed)
      }
    })

    test('lists the sessions of clients; all end when one is killed, and it recovers', async (t) => {
      const server = await startPostgres({ binaries })
      t.after(() => server.stop())
      const clients = await Promise.all(['one', 'two'].map((application) => connected(server, application)))
      const ended = Promise.all(clients.map((client) => new Promise((resolve) => client.once('end', resolve))))
      const backends = await server.backends()
      assert.deepEqual(backends.map(({ application }) => application).sort(), ['one', 'two'])
      server.killBackend(backends[0]?.pid ?? 0)
      await ended
      while ((await server.query('SELECT 1 AS one').catch(() => [])).length === 0) await pause(10)
      assert.deepEqual(await server.backends(), [])
    })

    test('answers nobody while it stands still, and everybody afterwards', async (t) => {
      const server = await startPostgres({ binaries })
      t.after(() => server.stop())
      const client = await connected(server, 'waiting')
      server.pause()
      const answer = client.query('SELECT 1 AS one')
      const first = await Promise.race([answer.then(() => 'answer'), pause(200, 'silence')])
      assert.equal(first, 'silence')
      server.resume()
      assert.deepEqual((await answer).rows, [{ one: 1 }])
      await client.end()
    })

    test('has a standby that has every confirmed commit when it takes over, again and again', async (t) => {
      let primary = await startPostgres({ binaries })
      t.after(() => primary.stop())
      await primary.query('CREATE TABLE counted (n int)')
      for (let round = 0; round < 2; round += 1) {
        const standby = await startStandby(primary)
        const old = primary
        const confirmed = await countUntilKilled(old)
        await standby.promote()
        primary = standby
        await old.stop()
        await assertKept(primary, confirmed)
      }
    })

    test('confirms nothing that its standby does not have', async (t) => {
      const primary = await startPostgres({ binaries })
      t.after(() => primary.stop())
      await primary.query('CREATE TABLE counted (n int)')
      const standby = await startStandby(primary)
      t.after(() => standby.stop())
      standby.pause()
      const written = primary.query('INSERT INTO counted VALUES (1)').then(() => 'confirmed')
      assert.equal(await Promise.race([written, pause(300, 'waiting')]), 'waiting')
      standby.resume()
      assert.equal(await written, 'confirmed')
      assert.deepEqual(await standby.query('SELECT n FROM counted'), [{ n: 1 }])
    })
  })
}

test('a folder without PostgreSQL is told in one sentence', () => {
  assert.throws(() => binariesIn('/nowhere'), NoPostgres)
})

async function connected(server: PostgresServer, application: string): Promise<Client> {
  const client = new Client({ connectionString: server.url, application_name: application })
  client.on('error', () => {})
  await client.connect()
  return client
}

/** Commits one number after the other; the server is killed while it does. @returns those that were confirmed */
async function countUntilKilled(server: PostgresServer): Promise<number[]> {
  const confirmed: number[] = []
  const client = await connected(server, 'counting')
  const from = Math.trunc(performance.now() * 1000)
  let killing: Promise<void> | undefined
  for (let n = from; ; n += 1) {
    try {
      await client.query('INSERT INTO counted VALUES ($1 % 2000000000)', [n])
      confirmed.push(n % 2_000_000_000)
    } catch {
      await killing
      return confirmed
    }
    if (confirmed.length === KILLED_AFTER) killing = server.kill()
  }
}

async function assertKept(server: PostgresServer, confirmed: readonly number[]): Promise<void> {
  const kept = new Set((await server.query<{ n: number }>('SELECT n FROM counted')).map(({ n }) => n))
  assert.deepEqual(
    confirmed.filter((n) => !kept.has(n)),
    [],
  )
}
