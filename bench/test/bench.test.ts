import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

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
