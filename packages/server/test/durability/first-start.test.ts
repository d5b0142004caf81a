import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '../service/running-service.ts'
import { runProgram, serve, startProgram } from '../service/service-process.ts'
import { readStoredState } from './stored-state.ts'

test('a first start that is killed at any step leaves a folder that starts, and that init can recover', async (t) => {
  const files = ['rescind.lock', 'rescind.db', 'rescind.db-wal', 'master.key.new', 'master.key']
  await Promise.all(files.map((file) => killFirstStart(t, file)))
})

/** Kills a first start the moment this file appears. */
async function killFirstStart(t: TestContext, file: string): Promise<void> {
  const dataDir = join(await temporaryFolder(t), 'data')
  const first = startProgram(t, ['serve', '--data-dir', dataDir, '--port', '0'])
  // Some of them are there for a moment only; then the kill comes when the start is done.
  while (!existsSync(join(dataDir, file)) && first.stdout() === '') await new Promise(setImmediate)
  first.child.kill('SIGKILL')
  assert.deepEqual(await first.exited, { code: null, signal: 'SIGKILL' })

  const second = await serve(t, { dataDir })
  assert.deepEqual(await second.stop(), { code: 0, signal: null })
  const { code, stdout } = await runProgram(t, ['init', '--recover', '--data-dir', dataDir])
  assert.equal(code, 0)
  assert.match(stdout, /^Operator token {2}dz_\S+\n$/)
  assert.ok((await readStoredState(dataDir)).entries.length > 0)
}
