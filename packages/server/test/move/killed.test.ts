import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { databaseForTests } from '../../../../postgres/database-for-tests.ts'
import type { Config } from '../../config.ts'
import { exportTo, importFrom, startService } from '../../server.ts'
import { StartRefused } from '../../start-refused.ts'
import { checkExport } from '../../storage/move/check-export.ts'
import { createRandom } from '../durability/random.ts'
import { temporaryFolder, testConfig } from '../service/running-service.ts'
import { numbers } from '../storage/fixtures.ts'
import { rowsOfFolder } from './stored-rows.ts'
import { emptyTarget } from './target.ts'
import { folderOfTokens, writtenExport } from './written-export.ts'

const { url } = await databaseForTests()

const TOKENS = 1_200

/** Runs one to its end, or kills it at a step. @returns the steps there are, `undefined` when it was killed */
async function move(...args: readonly string[]): Promise<number | undefined> {
  const program = join(import.meta.dirname, 'killed-move.ts')
  const child: ChildProcess = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [printed, [code, signal]] = await Promise.all([child.stdout ? text(child.stdout) : '', once(child, 'close')])
  assert.ok(code === 0 || signal === 'SIGKILL', printed)
  return signal === 'SIGKILL' ? undefined : Number(printed)
}

test('an export that is killed, at any step, leaves a folder that goes on and nothing to import, or one that is closed and a file that is whole', async (t) => {
  const template = await folderOfTokens(t, TOKENS)
  const run = async (step: number) => {
    const dataDir = join(await temporaryFolder(t), 'data')
    cpSync(template, dataDir, { recursive: true })
    const file = `${dataDir}.jsonl`
    return { dataDir, file, steps: await move('export', dataDir, file, String(step)) }
  }
  const { steps = 0 } = await run(-1)
  assert.ok(steps > 40)
  const random = createRandom(11)
  let fenced = 0
  // The last steps are before and after the fence and the commit.
  for (const step of [1, ...numbers(6).map(() => 1 + random.below(steps)), ...numbers(5).map((at) => steps - at)]) {
    const { dataDir, file } = await run(step)
    const source = testConfig(dataDir, { databaseUrl: undefined, leaseSeconds: 2 })
    const sha256 = await fenceOf(t, dataDir)
    assert.ok(!existsSync(file))
    const target = await emptyTarget(t, dataDir, undefined)
    const hasPart = existsSync(`${file}.part`)
    if (hasPart) await refused(importFrom(target.config, `${file}.part`), /was cut short/)
    if (sha256 === undefined) {
      if (hasPart) await refused(exportTo(source, file), /delete it if that folder still serves/)
      await (await startService(source)).stop()
      continue
    }
    fenced += 1
    await refused(startService(source), new RegExp(`never serves again; .* cut short .*; export to ${file} again`))
    await refused(exportTo(source, `${file}.other`), /never serves again/)
    await exportTo(source, file)
    assert.ok(!existsSync(`${file}.part`))
    await refused(exportTo(source, file), /import the file into an empty one/)
    assert.equal((await checkExport(file)).sha256, sha256)
    await importFrom(target.config, file)
    assert.deepEqual(await target.rows(), rowsOfFolder(dataDir))
  }
  assert.equal(fenced, 1, 'it is fenced by its commit, and by nothing before')
})

test('an export that was cut short is ended by another one with the file that it has written, and no other', async (t) => {
  const template = await folderOfTokens(t, TOKENS)
  const cut = async (): Promise<{ readonly file: string; readonly source: Config; readonly sha256: unknown }> => {
    const dataDir = join(await temporaryFolder(t), 'data')
    cpSync(template, dataDir, { recursive: true })
    const file = `${dataDir}.jsonl`
    const { sha256 } = await exportTo(testConfig(dataDir, { databaseUrl: undefined }), file)
    renameSync(file, `${file}.part`)
    return { file, source: testConfig(dataDir, { databaseUrl: undefined }), sha256 }
  }
  const { file, source, sha256 } = await cut()
  const other = await cut()
  // Its file is all that goes on living of another installation.
  const serving = join(await temporaryFolder(t), 'data')
  cpSync(template, serving, { recursive: true })
  await refused(exportTo({ ...source, dataDir: serving }, file), /\.part is there, of an export/)
  writeFileSync(file, 'something else')
  await refused(exportTo(source, file), /never serves again/)
  rmSync(file)
  renameSync(`${file}.part`, `${file}.kept`)
  cpSync(`${other.file}.part`, `${file}.part`)
  await refused(exportTo(source, file), /is not what this folder was exported to/)
  rmSync(`${file}.part`)
  await refused(exportTo(source, file), /never serves again/)
  renameSync(`${file}.kept`, `${file}.part`)
  assert.equal((await exportTo(source, file)).sha256, sha256)
})

for (const databaseUrl of url === undefined ? [undefined] : [undefined, url]) {
  test(`an import into ${databaseUrl === undefined ? 'a data folder' : 'PostgreSQL'} that is killed leaves nothing behind, and can be made again`, async (t) => {
    const { dataDir, file } = await writtenExport(t, TOKENS)
    const run = async (step: number) => {
      const target = await emptyTarget(t, dataDir, databaseUrl)
      target.dropAtEnd()
      const args = databaseUrl === undefined ? [] : [databaseUrl, target.config.databaseSchema]
      return { target, steps: await move('import', target.config.dataDir, file, String(step), ...args) }
    }
    const { steps = 0, target: whole } = await run(-1)
    assert.deepEqual(await whole.rows(), rowsOfFolder(dataDir))
    const random = createRandom(12)
    for (const step of [1, ...numbers(5).map(() => 1 + random.below(steps)), steps - 1]) {
      const { target } = await run(step)
      // The server hears of the end of its client a moment later.
      while (!(await target.isEmpty())) await delay(10)
      await importFrom(target.config, file)
      assert.deepEqual(await target.rows(), rowsOfFolder(dataDir))
    }
  })
}

/** The SHA-256 of the file that a folder was closed for, if it was. The database is left as the killed process left it. */
async function fenceOf(t: TestContext, dataDir: string): Promise<unknown> {
  const copy = await temporaryFolder(t)
  cpSync(dataDir, copy, { recursive: true })
  const db = new DatabaseSync(join(copy, 'rescind.db'))
  try {
    return db.prepare('SELECT sha256 FROM fence').get()?.sha256
  } finally {
    db.close()
  }
}

async function refused(attempt: Promise<unknown>, sentence: RegExp): Promise<void> {
  await assert.rejects(attempt, (error) => {
    assert.ok(error instanceof StartRefused, String(error))
    assert.match(error.message, sentence)
    return true
  })
}
