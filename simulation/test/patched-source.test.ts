import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { type Patch, patched, usePatches } from '../patched-source.ts'

const FILE = 'packages/protocol/lease.ts'

describe('a patched source', () => {
  test('is the source with every snippet replaced, in order', () => {
    const patches: Patch[] = [
      { file: FILE, find: 'one', replace: 'two' },
      { file: FILE, find: 'two and', replace: '$& or' },
    ]
    assert.equal(patched('one and three', patches), '$& or three')
  })

  test('is refused when the snippet is missing, ambiguous or empty, naming file and snippet', () => {
    for (const text of ['', 'snippet, snippet']) {
      const patch: Patch = { file: FILE, find: 'snippet', replace: 'other' }
      assert.throws(() => patched(text, [patch]), /packages\/protocol\/lease\.ts has this \d times.*\nsnippet$/s)
    }
    assert.throws(() => patched('', [{ file: FILE, find: '', replace: 'other' }]), /exactly once/)
  })

  test('is refused before anything is loaded', () => {
    const missing: Patch = { file: FILE, find: 'no such snippet', replace: '' }
    assert.throws(() => usePatches([missing]), /packages\/protocol\/lease\.ts has this 0 times.*\nno such snippet$/s)
    const ambiguous: Patch = { file: FILE, find: 'export function', replace: '' }
    assert.throws(
      () => usePatches([ambiguous]),
      /packages\/protocol\/lease\.ts has this \d+ times.*\nexport function$/s,
    )
    assert.throws(() => usePatches([{ file: 'packages/no-such-file.ts', find: 'a', replace: 'b' }]), /no-such-file/)
  })

  test('is what a process loads after that, through whatever name', () => {
    const patch: Patch = {
      file: FILE,
      find: 'return monotonicMs + grantedMs',
      replace: 'return monotonicMs - grantedMs',
    }
    assert.equal(run([patch], "console.log((await import('@rescind/protocol')).leaseEndMs(10, 3))"), '7\n')
    assert.equal(run([patch], "console.log((await import('./packages/protocol/lease.ts')).leaseEndMs(10, 3))"), '7\n')
    assert.equal(run([], "console.log((await import('@rescind/protocol')).leaseEndMs(10, 3))"), '13\n')
  })

  test('is missed when nothing loaded it', () => {
    const patch: Patch = { file: FILE, find: 'const RENEWALS_PER_LEASE = 8', replace: 'const RENEWALS_PER_LEASE = 1' }
    const last = 'try { assertLoaded(); console.log(0) } catch (error) { console.log(error.message) }'
    assert.match(run([patch], last), /never loaded after that: .*packages\/protocol\/lease\.ts/)
    assert.equal(run([patch], `await import('@rescind/protocol'); ${last}`), '0\n')
  })
})

/** What a process of its own prints that uses the patches and then runs `script` at the root of the repository. */
function run(patches: readonly Patch[], script: string): string {
  const source = `
    import { usePatches } from './simulation/patched-source.ts'
    const assertLoaded = usePatches(${JSON.stringify(patches)})
    ${script}`
  const cwd = new URL('../../', import.meta.url)
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', source], {
    cwd,
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
  return stdout
}
