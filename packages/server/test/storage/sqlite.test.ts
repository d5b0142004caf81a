import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqlite } from '../../storage/sqlite/open-sqlite.ts'
import { describeStorage } from './describe-storage.ts'
import { NOW_MS } from './fixtures.ts'

describeStorage('SQLite', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'rescind-storage-'))
  return {
    open: () => openSqlite({ dataDir, clock: { nowMs: () => NOW_MS } }),
    destroy: () => rm(dataDir, { recursive: true }),
  }
})
