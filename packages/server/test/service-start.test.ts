import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { startService } from '../server.ts'
import { StartRefused } from '../start-refused.ts'
import { temporaryFolder, testConfig } from './service/running-service.ts'

test('a service whose log was altered anywhere does not start', async (t) => {
  const dataDir = await temporaryFolder(t)
  await (await startService(testConfig(dataDir))).stop()
  const db = new DatabaseSync(join(dataDir, 'rescind.db'))
  db.exec(
    "DROP TRIGGER log_unchanged; UPDATE revocation_log SET body = '[\"token_revoked\",0]', kind = 'token_revoked' WHERE seq = 1",
  )
  db.close()
  await assert.rejects(startService(testConfig(dataDir)), (error) => {
    assert.ok(error instanceof StartRefused)
    assert.match(error.message, /is broken: entry 1 does not continue/)
    return true
  })
})
