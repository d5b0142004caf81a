import assert from 'node:assert/strict'
import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { restoreBackup } from '../../server.ts'
import { openSqlite } from '../../storage/sqlite/open-sqlite.ts'
import { restoreCopy } from '../../storage/sqlite/restore-copy.ts'
import { runService, temporaryFolder, testConfig } from '../service/running-service.ts'
import { runProgram, serve, startProgram } from '../service/service-process.ts'
import { NOW_MS, newBusiness, numbers } from '../storage/fixtures.ts'
import { backUp, copiesIn, folderWithKey } from './backup-file.ts'

const EMBEDDED = { databaseUrl: undefined }
const clock = { nowMs: () => NOW_MS }

test('a service that is killed while it copies its database starts again without the half copy', async (t) => {
  const first = await runService(t, EMBEDDED)
  await first.stop()
  await fill(first.dataDir)
  const { dataDir, operatorToken } = first
  const service = await serve(t, { dataDir })
  const headers = { authorization: `Bearer ${operatorToken}` }
  const asking = fetch(`${service.url}/api/v1/backup`, { method: 'POST', headers }).catch(() => undefined)
  while (copiesIn(dataDir).length === 0) await delay(1)
  await service.kill()
  assert.notDeepEqual(copiesIn(dataDir), [])
  await asking
  await serve(t, { dataDir })
  assert.deepEqual(copiesIn(dataDir), [])
})

test('a client that goes away in the middle of a backup costs the service nothing', async (t) => {
  if (!existsSync('/proc/self/fd')) return t.skip('open files cannot be counted here')
  const first = await runService(t, EMBEDDED)
  await first.stop()
  await fill(first.dataDir)
  const service = await serve(t, { dataDir: first.dataDir })
  const openFiles = `/proc/${service.child.pid}/fd`
  const openCopies = () => readdirSync(openFiles).filter((fd) => targetOf(join(openFiles, fd)).includes('rescind.copy'))
  const headers = { authorization: `Bearer ${first.operatorToken}` }
  for (const moment of ['while it is made', 'while it is sent']) {
    const leaving = new AbortController()
    const answer = fetch(`${service.url}/api/v1/backup`, { method: 'POST', headers, signal: leaving.signal })
    if (moment === 'while it is sent') await answer
    else while (openCopies().length === 0) await delay(1)
    leaving.abort()
    await answer.catch(() => undefined)
    assert.equal((await fetch(`${service.url}/api/v1/keys`, { headers })).status, 200)
    while (openCopies().length > 0) await delay(5)
  }
  assert.deepEqual(await service.stop(), { code: 0, signal: null })
})

test('a folder in which a restore was cut off at whatever moment is not served before it was restored to the end', async (t) => {
  const service = await runService(t, EMBEDDED)
  const file = await backUp(t, service)
  const dataDir = await folderWithKey(t, service.dataDir)
  const images: string[] = []
  const image = async () => {
    const folder = join(await temporaryFolder(t), 'image')
    await cp(dataDir, folder, { recursive: true })
    images.push(folder)
  }
  await restoreCopy({ file, dataDir, clock }, async (storage) => {
    await image()
    await storage.membership.join({ nodeId: 'lost', leaseMs: 300_000 })
    await image()
  })
  for (const cutOff of images) {
    const before = readdirSync(cutOff)
    await assert.rejects(openSqlite({ dataDir: cutOff, clock }), /restore into .+ was cut off/)
    await assert.rejects(openSqlite({ dataDir: cutOff, clock }), { name: 'StorageRefused' })
    assert.deepEqual(readdirSync(cutOff), before)
    await restoreBackup(testConfig(cutOff, EMBEDDED), file)
    assert.equal(epochsOpened(cutOff), 1)
    assert.deepEqual(readdirSync(cutOff).sort(), ['master.key', 'rescind.db', 'rescind.lock'])
  }
})

test('a service does not start in a folder in which a restore was killed, and does once it is restored to the end', async (t) => {
  const { dataDir: former, stop } = await runService(t, EMBEDDED)
  await stop()
  await fill(former)
  const file = join(former, 'rescind.db')
  const dataDir = await folderWithKey(t, former)
  const restore = startProgram(t, ['restore', file, '--data-dir', dataDir])
  while (!existsSync(join(dataDir, 'rescind.restoring'))) await delay(1)
  restore.child.kill('SIGKILL')
  assert.deepEqual(await restore.exited, { code: null, signal: 'SIGKILL' })

  await assert.rejects(serve(t, { dataDir }), /did not start: error: A restore into [^\n]+ was cut off; [^\n]+\n$/)
  assert.equal((await runProgram(t, ['restore', file, '--data-dir', dataDir])).code, 0)
  assert.equal(epochsOpened(dataDir), 1)
  await serve(t, { dataDir })
})

/** Makes a database that is not copied in an instant. */
async function fill(dataDir: string): Promise<void> {
  const storage = await openSqlite({ dataDir, clock })
  await storage.transact(async (tx) => {
    for (const _ of numbers(1000)) await tx.upsertBusiness(newBusiness('x'.repeat(30_000)))
  })
  await storage.close()
}

/** How many epochs a database has opened since it was made. */
function epochsOpened(dataDir: string): number {
  const db = new DatabaseSync(join(dataDir, 'rescind.db'))
  const row = db.prepare(`SELECT count(*) AS count FROM revocation_log WHERE kind = 'epoch_opened'`).get()
  db.close()
  return Number(row?.count)
}

function targetOf(link: string): string {
  try {
    return readlinkSync(link)
  } catch {
    // It was closed meanwhile.
    return ''
  }
}
