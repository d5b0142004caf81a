import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, type TestContext, test } from 'node:test'
import { Unavailable } from '@rescind/protocol'
import { openSqlite } from '../../storage/sqlite/open-sqlite.ts'
import { type Storage, StorageRefused } from '../../storage/storage.ts'
import { issue, NOW_MS, newBusiness, settle } from './fixtures.ts'

const clock = { nowMs: () => NOW_MS }

describe('a disk that fails', () => {
  let parent: string
  let dataDir: string
  const mounted: string[] = []
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'rescind-disk-'))
    dataDir = join(parent, 'disk')
  })
  afterEach(async () => {
    for (const path of mounted.splice(0)) execFileSync('umount', ['--lazy', path])
    await rm(parent, { recursive: true })
  })

  function mount(path: string, ...args: string[]): void {
    execFileSync('mount', [...args, path], { stdio: 'pipe' })
    mounted.push(path)
  }

  /** A disk of 2 MB in memory; false, with the test skipped, where this user may not mount. */
  async function mountSmallDisk(t: TestContext): Promise<boolean> {
    await mkdir(dataDir)
    try {
      mount(dataDir, '-t', 'tmpfs', '-o', 'size=2m', 'tmpfs')
      return true
    } catch (error) {
      t.skip(`cannot mount a tmpfs here: ${String(error).split('\n')[0]}`)
      return false
    }
  }

  const open = () => openSqlite({ dataDir, clock })
  const refused = (sentence: RegExp) =>
    assert.rejects(open(), (error) => error instanceof StorageRefused && sentence.test(error.message))

  /** Saves one business of 3 kB per unit until a unit is refused; gives the ids that were acknowledged. */
  async function fill(storage: Storage): Promise<{ acknowledged: string[]; error: unknown }> {
    const acknowledged: string[] = []
    for (;;) {
      assert.ok(acknowledged.length < 2000, 'more was acknowledged than the disk can hold')
      const batch = [1, 2, 3].map(() => newBusiness(randomBytes(1500).toString('hex')))
      const outcomes = await Promise.allSettled(
        batch.map((business) => storage.transact((tx) => tx.upsertBusiness(business))),
      )
      for (const [i, { status }] of outcomes.entries())
        if (status === 'fulfilled') acknowledged.push(batch[i]?.id ?? '')
      const rejected = outcomes.find((outcome) => outcome.status === 'rejected')
      if (rejected) return { acknowledged, error: rejected.reason }
    }
  }

  test('because it is full refuses what it cannot keep, and keeps everything it acknowledged', async (t) => {
    if (!(await mountSmallDisk(t))) return
    const storage = await open()
    await settle(storage)
    const { acknowledged, error } = await fill(storage)
    assert.ok(error instanceof Unavailable)
    assert.equal(error.code, 'storage_unavailable')
    assert.equal(await storage.failed, error)
    await assert.rejects(
      storage.transact(async () => 1),
      Unavailable,
    )
    await storage.close()

    execFileSync('mount', ['-o', 'remount,size=16m', dataDir])
    const reopened = await open()
    for (const id of acknowledged) assert.equal((await reopened.read.business(id))?.id, id)
    assert.ok(acknowledged.length > 100)
    await reopened.transact((tx) => tx.upsertBusiness(newBusiness()))
    await reopened.close()
  })

  test('because it is full before the start refuses to open, and opens once there is room', async (t) => {
    if (!(await mountSmallDisk(t))) return
    await writeFile(join(dataDir, 'ballast'), randomBytes(4 << 20)).catch(() => {})
    await refused(/disk of the data folder .* is full/)
    await rm(join(dataDir, 'ballast'))
    await (await open()).close()
  })

  test('because it is mounted read-only refuses to open, and loses nothing', async (t) => {
    if (!(await mountSmallDisk(t))) return
    const storage = await open()
    const world = await settle(storage)
    const token = await storage.transact((tx) => issue(tx, world))
    await storage.close()
    execFileSync('mount', ['-o', 'remount,ro', dataDir])
    await refused(/cannot be written to/)
    execFileSync('mount', ['-o', 'remount,rw', dataDir])
    const reopened = await open()
    assert.equal((await reopened.read.tokenByIdOrJti(token.id))?.id, token.id)
    await reopened.close()
  })

  test('because the kernel turned it read-only under a running storage acknowledges nothing more', async (t) => {
    const image = join(parent, 'image')
    try {
      await writeFile(image, new Uint8Array(16 << 20))
      execFileSync('mkfs.ext4', ['-q', '-F', image], { stdio: 'pipe' })
      await mkdir(dataDir)
      mount(dataDir, '-o', 'loop', image)
    } catch (error) {
      t.skip(`cannot mount a disk image here: ${String(error).split('\n')[0]}`)
      return
    }
    const storage = await open()
    const { business } = await settle(storage)
    execFileSync('mount', ['-o', 'remount,abort', dataDir], { stdio: 'pipe' })
    const { acknowledged, error } = await fill(storage)
    assert.deepEqual(acknowledged, [])
    assert.ok(error instanceof Unavailable)
    assert.equal(await storage.failed, error)
    await storage.close()
    await refused(/cannot be written to|fails to read or write/)

    execFileSync('umount', [dataDir])
    mounted.splice(0)
    mount(dataDir, '-o', 'loop', image)
    const reopened = await open()
    assert.deepEqual(await reopened.read.business(business.id), business)
    await reopened.close()
  })
})
