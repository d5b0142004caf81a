import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { createVerifier } from '@rescind/verifier'
import { readConfig } from '../../packages/server/config.ts'
import { startService } from '../../packages/server/server.ts'
import { ownPostgres } from '../../postgres/own-postgres.ts'
import { startStandby } from '../../postgres/start-standby.ts'
import { ApiClient } from '../load/api-client.ts'
import { createHolders, type Holder } from '../load/holders.ts'
import { issueFeedToken, issueTo } from '../load/issue-token.ts'
import { TcpProxy } from '../network/tcp-proxy.ts'
import { RunClock } from '../run-clock.ts'

test('a service that has followed what a failover lost never confirms it, and stops', async (t) => {
  const primary = await ownPostgres(t)
  if (!primary) return
  const standby = await startStandby(primary)
  t.after(() => standby.stop())
  let { port } = primary
  const proxy = await TcpProxy.open(() => port)
  t.after(() => proxy.close())
  const service = await start(t, `postgres://postgres@127.0.0.1:${proxy.port}/postgres`)
  const { api, url } = service
  const [holder] = await createHolders(api, 1, 1)
  assert.ok(holder)
  const { id, token } = await issueTo(api, holder)
  const verifier = await createVerifier({ url, token: await issueFeedToken(api), onLapse: 'reject' })
  t.after(() => verifier.close())
  assert.equal((await verifier.verify(token)).status, 'valid')
  const seq = () => verifier.status().position?.seq ?? 0
  const before = seq()

  await standby.kill()
  const first = revoke(api, id, holder)
  // Whoever ends the wait for the standby has the primary show what is there alone.
  while (seq() === before) {
    await primary.query("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
    await pause(20)
  }
  assert.equal(await first, 503)
  const again = revoke(api, id, holder)

  await primary.kill()
  await standby.start()
  await standby.promote()
  port = standby.port
  assert.equal(await again, 503)
  const cause = await service.failed
  assert.match(String(cause.cause), /another history/)
  assert.equal(await revoke(api, id, holder), 503)
  assert.notEqual((await verifier.verify(token)).status, 'valid')
})

async function start(t: TestContext, databaseUrl: string) {
  const dataDir = await mkdtemp(join(tmpdir(), 'rescind-'))
  const config = { ...readConfig({}), port: 0, dataDir, databaseUrl, leaseSeconds: 30, logLevel: 'silent' as const }
  const { url, firstTokens, failed, stop } = await startService(config)
  const operatorToken = firstTokens?.operatorToken ?? assert.fail('not a new database')
  const api = new ApiClient([url], operatorToken, new RunClock())
  t.after(async () => {
    api.close()
    await stop()
    await rm(dataDir, { recursive: true })
  })
  return { api, url, failed }
}

async function revoke(api: ApiClient, id: string, { businessId, email }: Holder): Promise<number> {
  return (await api.send({ method: 'POST', path: `/tokens/${id}/revoke`, businessId, userEmail: email })).status
}
