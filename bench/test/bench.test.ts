import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { databaseForTests } from '../../postgres/database-for-tests.ts'

const { url, skip } = await databaseForTests()
const RUN = join(import.meta.dirname, '../run.ts')

test('the bench measures everything that has a bar, beside its references', async () => {
  // Rejects when the exit code is not 0: in a quick run, that no bar has a say in, it means that something did not work.
  const { stdout } = await promisify(execFile)(process.execPath, [RUN, '--quick', '--markdown'])
  const rows = stdout.split('\n').filter((line) => line.startsWith('| '))
  const judged = rows.filter((row) => /\| (pass|MISS) \|$/.test(row)).map((row) => row.split(' | ')[0]?.slice(2))
  assert.deepEqual(judged, [
    '1 M revoked of 10 M issued, memory',
    'verify, seen before: lease and set',
    'verify, first time',
    'introspection over HTTP, 32 clients',
    'revoke over HTTP, 1 client',
    'revoke over HTTP, 32 clients',
    'revoke → in force, 8 attached processes, 1 client',
  ])
  assert.doesNotMatch(stdout, /NaN|undefined/)
})

test('the bench of services on PostgreSQL measures them beside inserts of single rows', { skip }, async () => {
  const env = { ...process.env, RESCIND_TEST_DATABASE_URL: url }
  const { stdout } = await promisify(execFile)(process.execPath, [RUN, '--postgres', '--quick', '--markdown'], { env })
  const compared = stdout.split('\n').filter((line) => / × \| PostgreSQL, insert of one row, /.test(line))
  assert.deepEqual(
    compared.map((row) => row.split(' | ')[0]?.slice(2)),
    ['issue', 'revoke'].flatMap((what) =>
      ['1 client', '8 clients', '16 clients'].map((by) => `${what}, 2 nodes, ${by}`),
    ),
  )
  assert.match(stdout, /^\| 2 \| NOTIFY \| 8 \| /m)
  assert.match(stdout, /^\| 2 \| polls \| 8 \| /m)
  assert.doesNotMatch(stdout, /NaN|undefined/)
})
