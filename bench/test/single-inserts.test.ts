import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Client } from 'pg'
import { databaseForTests } from '../../postgres/database-for-tests.ts'
import { openDatabaseServer } from '../postgres/database-server.ts'
import { startInserts } from '../postgres/single-inserts.ts'

const { url, skip } = await databaseForTests()

test('without pgbench, rows are inserted all the same, one in each transaction', { skip }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'rescind-bench-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const server = await openDatabaseServer(url)
  t.after(() => server.stop())
  const database = await server.createDatabase('test')
  const inserts = await startInserts(database.url, folder, 'pgbench-that-is-not-there')
  t.after(() => inserts.stop())

  const { requests, p99Ms } = await inserts.insertFor(3, 100)
  assert.ok(requests >= 3 && p99Ms > 0)
  const client = new Client({ connectionString: database.url })
  await client.connect()
  const { rows } = await client.query(
    'SELECT count(*)::int AS rows, count(DISTINCT xmin::text)::int AS commits FROM line',
  )
  await client.end()
  assert.deepEqual(rows, [{ rows: requests, commits: requests }])
})
