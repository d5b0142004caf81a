import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createHttpClient } from '../service/http-client.ts'
import { use } from '../service/installation-client.ts'
import { printedTokens, runProgram, type ServiceProcess, serve } from '../service/service-process.ts'
import { type MountedDisk, mountImage, mountSmallDisk } from './mounted-disk.ts'
import { createRandom } from './random.ts'
import { RevocationLoad, tryAll } from './revocation-load.ts'
import { readStoredState } from './stored-state.ts'

const SEED = Number(process.env.RESCIND_TEST_SEED ?? 20_261_122)
const ENV = { RESCIND_MAX_ACTIVE_TOKENS: '1000000' }
const WIDTH = 12

test('on a disk that fills up nothing is acknowledged that is not kept', async (t) => {
  const disk = mountSmallDisk(t, '3m')
  if (disk === undefined) return
  const { load, service } = await loadUntil(t, disk, () => undefined)
  assertStoppedForStorage(service, /database or disk is full/)
  assert.ok(load.issued.length > 50)

  const ballast = join(disk.path, 'ballast')
  for (const size of [1 << 16, 1 << 10, 16, 1]) fill(ballast, size)
  const refused = await runProgram(t, ['serve', '--port', '0', '--data-dir', disk.path])
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /^error: The disk of the data folder [^\n]+ is full; [^\n]+\.\n$/)

  rmSync(ballast)
  disk.remount('size=64m')
  await assertNothingLost(t, disk, load)
})

test('on a disk that the kernel turned read-only nothing more is acknowledged, and nothing was lost', async (t) => {
  const disk = mountImage(t, 32 << 20)
  if (disk === undefined) return
  const { load, service } = await loadUntil(t, disk, (answers) => {
    if (answers === 100) disk.remount('abort')
  })
  assertStoppedForStorage(service, /disk I\/O error|readonly|read-only/)
  const refused = await runProgram(t, ['serve', '--port', '0', '--data-dir', disk.path])
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /^error: The d[^\n]+ (cannot be written to|fails to read or write)[^\n]*\.\n$/)
  disk.replug()
  await assertNothingLost(t, disk, load)
})

interface Loaded {
  readonly load: RevocationLoad
  readonly service: ServiceProcess
}

/** Issues and revokes on that disk until the service no longer can. */
async function loadUntil(t: TestContext, disk: MountedDisk, onAnswer: (answers: number) => void): Promise<Loaded> {
  const service = await serve(t, { dataDir: disk.path, env: ENV })
  const client = createHttpClient(service.url)
  t.after(() => client.close())
  const load = new RevocationLoad((await printedTokens(service)).operatorToken, createRandom(SEED))
  await load.createTenants(client, 2, 3)
  await load.run(client, WIDTH, () => onAnswer(load.answers))
  assert.ok(load.unavailable > 0, 'nobody was told')
  // The service stops by itself, and does not hang.
  await service.exited
  return { load, service }
}

function assertStoppedForStorage(service: ServiceProcess, cause: RegExp): void {
  assert.equal(service.child.exitCode, 1)
  const lines = service
    .stderr()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const fatal = lines.filter(({ level }) => level === 60)
  assert.deepEqual(
    fatal.map(({ msg }) => msg),
    ['the storage failed; the service stops'],
  )
  assert.match(JSON.stringify(fatal), cause)
  for (const { status } of lines) assert.ok(status === undefined || status === 503, `${status} in the log`)
}

async function assertNothingLost(t: TestContext, disk: MountedDisk, load: RevocationLoad): Promise<void> {
  const dead = load.judge(await readStoredState(disk.path))
  const service = await serve(t, { dataDir: disk.path, env: ENV })
  const client = createHttpClient(service.url)
  const tried = await tryAll(client, load.issued, dead)
  const fresh = new RevocationLoad(load.operatorToken, createRandom(SEED))
  await fresh.createTenants(client, 1, 1)
  assert.equal(await use(client, load.operatorToken), 200)
  client.close()
  assert.deepEqual(await service.stop(), { code: 0, signal: null })
  load.judge(await readStoredState(disk.path))
  t.diagnostic(`${load.answers} answers, ${load.unavailable} of them 503, ${tried} tokens kept, ${dead.size} dead`)
}

/** Appends until not one more piece of this size fits. */
function fill(path: string, size: number): void {
  for (;;) {
    try {
      writeFileSync(path, Buffer.alloc(size, 1), { flag: 'a' })
    } catch {
      return
    }
  }
}
