import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { ownPostgres } from '../../../../postgres/own-postgres.ts'
import type { PostgresServer } from '../../../../postgres/postgres-server.ts'
import { expect, type Issued } from '../service/provisioning.ts'
import type { RunningService } from '../service/running-service.ts'
import { issueSome, renewed, serviceOn, storedState } from './service-on-postgres.ts'

/** Whoever asks is told within 5 s, whatever the database does; a busy machine takes longer for everything else. */
const DEADLINE_MS = 10_000
const MAX_CONNECTIONS = 14

test('while another session holds the head of the log, writing is refused in time, and verifying goes on', async (t) => {
  const server = await ownPostgres(t)
  if (server === undefined) return
  const service = await serviceOn(t, server)
  const issued = await issueSome(service, 4)
  const release = await holdHead(server)
  await assertRefused(service, issued)
  await renewed(server)
  for (const { token } of issued) assert.equal(await verdictOn(service, token), 'valid')
  await release()
  await assertRecovered(service, server, issued)
})

test('while the server has no connection left, writing is refused in time, and no good token is rejected', async (t) => {
  const server = await ownPostgres(t, { settings: { max_connections: String(MAX_CONNECTIONS) } })
  if (server === undefined) return
  const service = await serviceOn(t, server)
  const issued = await issueSome(service, 4)
  const release = await takeEveryConnection(server)
  await assertRefused(service, issued)
  for (const { token } of issued) assert.notEqual(await verdictOn(service, token), 'rejected')
  await release()
  await assertRecovered(service, server, issued)
})

test('while every connection for reads is taken, the service keeps its lease', async (t) => {
  const server = await ownPostgres(t)
  if (server === undefined) return
  const service = await serviceOn(t, server)
  const issued = await issueSome(service, 4)
  const release = await inTransaction(server, 'LOCK TABLE rescind.members IN ACCESS EXCLUSIVE MODE')
  const waiting = Array.from({ length: 8 }, () => service.call('GET', '/api/v1/tokens'))
  for (const answer of await Promise.all(waiting)) assert.equal(answer.status, 503)
  await renewed(server)
  await release()
  await assertRecovered(service, server, issued)
})

/** Nothing that writes is answered but with 503, in time; and nothing of it is done. */
async function assertRefused(service: RunningService, issued: readonly Issued[]): Promise<void> {
  const startedMs = performance.now()
  const answers = await Promise.all([
    ...issued.map(({ id }) => revoke(service, id)),
    service.call('POST', '/api/v1/tokens', { json: { name: 'too late' } }),
  ])
  assert.deepEqual(
    answers.map(({ status }) => status),
    answers.map(() => 503),
  )
  for (const { headers } of answers) assert.ok(headers.has('retry-after'))
  assert.ok(performance.now() - startedMs < DEADLINE_MS)
}

/** Everything can be done again, without a restart; what was refused was not done. */
async function assertRecovered(
  service: RunningService,
  server: PostgresServer,
  issued: readonly Issued[],
): Promise<void> {
  await service.ready()
  const before = await storedState(server)
  for (const { id } of issued) assert.equal(before.tokens.get(id)?.revokedSeq, null)
  for (const { id, token } of issued) {
    assert.equal(await verdictOn(service, token), 'valid')
    expect(201, await revoke(service, id))
    assert.equal(await verdictOn(service, token), 'rejected')
  }
  expect(201, await service.call('POST', '/api/v1/tokens', { json: { name: 'in time' } }))
}

function revoke(service: RunningService, id: string) {
  return service.call('POST', `/api/v1/tokens/${id}/revoke`)
}

/** `unavailable` when the service does not say. */
async function verdictOn({ call, operatorToken }: RunningService, token: string): Promise<string> {
  const answer = await call('POST', '/api/v1/tokens/verify', { token: operatorToken, business: null, json: { token } })
  return answer.status === 503 ? 'unavailable' : expect(200, answer).json.data.status
}

/** @returns lets go of it */
function holdHead(server: PostgresServer): Promise<() => Promise<void>> {
  return inTransaction(server, 'SELECT 1 FROM rescind.log_head FOR UPDATE')
}

/** Begins a transaction with this statement. @returns ends it */
async function inTransaction(server: PostgresServer, statement: string): Promise<() => Promise<void>> {
  const client = await connected(server)
  await client.query('BEGIN')
  await client.query(statement)
  return () => client.end()
}

/** Takes every connection of the server, those of the service too. @returns lets go of them */
async function takeEveryConnection(server: PostgresServer): Promise<() => Promise<void>> {
  const first = await connected(server)
  const taken = [first]
  while (taken.length < MAX_CONNECTIONS) {
    const next = await connected(server).catch(() => undefined)
    if (next !== undefined) taken.push(next)
    else {
      // Whoever asks for it first has what becomes free.
      await first.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rescind'`)
      await delay(1)
    }
  }
  return async () => {
    await Promise.all(taken.map((client) => client.end()))
  }
}

async function connected({ url }: PostgresServer): Promise<Client> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  return client
}
