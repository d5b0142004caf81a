import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHttpClient } from '../service/http-client.ts'
import { temporaryFolder } from '../service/running-service.ts'
import { printedTokens, type ServiceProcess, serve } from '../service/service-process.ts'
import { readStored } from '../service/test-database.ts'
import { attach } from './attached.ts'

const LEASE_MS = 2_000
const ENV = { RESCIND_LEASE_SECONDS: `${LEASE_MS / 1000}` }

test('after a kill, revocations wait for the leases that nobody remembers', async (t) => {
  const dataDir = await temporaryFolder(t)
  const first = await serve(t, { dataDir, env: ENV })
  const { ownerToken, operatorToken, businessId } = await printedTokens(first)
  const verifier = await attach(t, first.url, operatorToken)
  const { token, id } = await newToken(first, ownerToken, businessId)
  assert.equal(verifier.verify(token).status, 'valid')
  await first.kill()
  assert.equal(verifier.verify(token).status, 'valid')

  const killedMs = performance.now()
  const second = await serve(t, { dataDir, env: ENV })
  const answer = await revoke(second, ownerToken, businessId, id)
  assert.notEqual(verifier.verify(token).status, 'valid')
  // The new process saw the row of the old one after the old one had ended.
  assert.ok(performance.now() - killedMs >= LEASE_MS)
  assert.ok(enforceMs(answer) > 0)

  const { id: another } = await newToken(second, ownerToken, businessId)
  const next = await revoke(second, ownerToken, businessId, another)
  assert.equal(next.headers['rescind-waited-out'], '0')
  assert.deepEqual(await second.stop(), { code: 0, signal: null })
  assert.equal(await nodesThatNeverLeft(dataDir), 0)
})

test('a service that stopped in order, with nobody attached, leaves nothing to wait for', async (t) => {
  const env = { RESCIND_LEASE_SECONDS: '300' }
  const dataDir = await temporaryFolder(t)
  const first = await serve(t, { dataDir, env })
  const { ownerToken, operatorToken, businessId } = await printedTokens(first)
  const verifier = await attach(t, first.url, operatorToken)
  const { id } = await newToken(first, ownerToken, businessId)
  verifier.close()
  // The goodbye is heard before this is answered, or this would wait.
  assert.equal((await revoke(first, ownerToken, businessId, id)).headers['rescind-waited-out'], '0')
  assert.deepEqual(await first.stop(), { code: 0, signal: null })

  const second = await serve(t, { dataDir, env })
  const { id: another } = await newToken(second, ownerToken, businessId)
  const answer = await revoke(second, ownerToken, businessId, another)
  assert.equal(answer.headers['rescind-waited-out'], '0')
})

test('a service that stops waits for the leases it granted, when they end in time', async (t) => {
  const dataDir = await temporaryFolder(t)
  const first = await serve(t, { dataDir, env: ENV })
  const { ownerToken, operatorToken, businessId } = await printedTokens(first)
  const verifier = await attach(t, first.url, operatorToken)
  const { token } = await newToken(first, ownerToken, businessId)
  assert.equal(verifier.verify(token).status, 'valid')
  assert.deepEqual(await first.stop(), { code: 0, signal: null })
  assert.equal(verifier.verify(token).status, 'undecided')
  assert.equal(await nodesThatNeverLeft(dataDir), 0)
})

test('a service that is not given the time for that leaves the wait to whoever starts next', async (t) => {
  const env = { RESCIND_LEASE_SECONDS: '300' }
  const dataDir = await temporaryFolder(t)
  const first = await serve(t, { dataDir, env })
  const { operatorToken } = await printedTokens(first)
  const verifier = await attach(t, first.url, operatorToken)
  assert.deepEqual(await first.stop(), { code: 0, signal: null })
  assert.equal(verifier.verify(operatorToken).status, 'valid')
  assert.equal(await nodesThatNeverLeft(dataDir), 1)
})

/** Whoever serves a folder waits for them. */
async function nodesThatNeverLeft(dataDir: string): Promise<number> {
  const [rows = []] = await readStored(dataDir, 'SELECT node_id FROM nodes WHERE left_at_ms IS NULL')
  return rows.length
}

async function newToken(
  { url }: ServiceProcess,
  token: string,
  business: string,
): Promise<{ token: string; id: string }> {
  const client = createHttpClient(url)
  const request = { method: 'POST', path: '/api/v1/tokens', token, business, json: { name: 'a token' } }
  const { status, text, json } = await client.send(request)
  client.close()
  assert.equal(status, 201, text)
  return { token: json.data.token, id: json.data.token_info.id }
}

async function revoke({ url }: ServiceProcess, token: string, business: string, id: string) {
  const client = createHttpClient(url)
  const answer = await client.send({ method: 'POST', path: `/api/v1/tokens/${id}/revoke`, token, business })
  client.close()
  assert.equal(answer.status, 201, answer.text)
  return answer
}

/** How long the answer says that it waited. */
function enforceMs({ headers }: Awaited<ReturnType<typeof revoke>>): number {
  const [, ms] = /^commit;dur=\d+\.\d{3}, enforce;dur=(\d+\.\d{3})$/.exec(`${headers['server-timing']}`) ?? []
  return Number(ms)
}
