import assert from 'node:assert/strict'
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { ownPostgres } from '../../../../postgres/own-postgres.ts'
import type { PostgresServer } from '../../../../postgres/postgres-server.ts'
import { mountSmallDisk } from '../durability/mounted-disk.ts'
import { createRandom } from '../durability/random.ts'
import { RevocationLoad, tryAll } from '../durability/revocation-load.ts'
import { createHttpClient } from '../service/http-client.ts'
import { patient, serviceOn, storedState } from './service-on-postgres.ts'

const SEED = Number(process.env.RESCIND_TEST_SEED ?? 20_261_123)
const WIDTH = 12
/** Enough for a new server, and little more. */
const DISK = '96m'
/** So that the log of the server needs a new file soon. */
const SETTINGS = { max_wal_size: '32MB', min_wal_size: '32MB' }

test('on a disk of the database that fills up nothing is acknowledged that is not kept, and it goes on when there is room', async (t) => {
  const disk = mountSmallDisk(t, DISK)
  if (disk === undefined) return
  // The server belongs to another user.
  chmodSync(dirname(disk.path), 0o711)
  const server = await ownPostgres(t, { parentFolder: disk.path, settings: SETTINGS })
  if (server === undefined) return
  const service = await serviceOn(t, server)
  const client = createHttpClient(service.url)
  t.after(() => client.close())
  const load = new RevocationLoad(service.operatorToken, createRandom(SEED))
  await load.createTenants(client, 2, 3)

  const ballast = join(disk.path, 'ballast')
  await load.run(client, WIDTH, () => {
    if (load.answers === 100) fill(ballast)
  })
  assert.ok(load.unavailable > 0, 'nobody was told')
  assert.match(server.log, /No space left on device/)
  const acknowledged = load.issued.length
  assert.ok(acknowledged > 20)

  rmSync(ballast)
  await startUnlessRunning(server)
  await service.ready()
  const dead = load.judge(await storedState(server))
  const tried = await tryAll(patient(client), load.issued, dead)
  const fresh = new RevocationLoad(service.operatorToken, createRandom(SEED))
  await fresh.createTenants(patient(client), 1, 1)
  t.diagnostic(`${load.answers} answers, ${load.unavailable} of them 503, ${tried} tokens kept, ${dead.size} dead`)
})

/** Until not one more byte fits. */
function fill(path: string): void {
  for (const size of [1 << 20, 1 << 12, 1]) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(size, 1), { flag: 'a' })
    } catch {
      // The next smaller one.
    }
  }
}

/** A server that could not write its log ends, unless it could recover meanwhile. */
async function startUnlessRunning(server: PostgresServer): Promise<void> {
  for (;;) {
    const answers = await server.query('SELECT 1').then(
      () => true,
      () => false,
    )
    if (answers) return
    if (!server.isRunning) return server.start()
    await delay(20)
  }
}
