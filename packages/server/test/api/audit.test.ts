import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeBase64url } from '@rescind/protocol'
import { addMember, expect, issued, issueTo, saveMember } from '../service/provisioning.ts'
import { type RunningService, runService } from '../service/running-service.ts'
import { readStored } from '../service/test-database.ts'

test('every change is in the audit trail: who, what, when, as whom they claimed to be, in which request, by which token', async (t) => {
  const service = await runService(t)
  const { call, businessId, ownerToken, operatorToken } = service
  const startMs = Date.now()
  const holder = await addMember(service, 'member')
  const target = await issueTo(service, holder)
  const headers = { 'x-user-email': ' Mallory@Example.com ', 'x-request-id': 'revoke-1' }
  expect(201, await call('POST', `/api/v1/tokens/${target.id}/revoke`, { headers }))
  // Neither what is refused nor what changes nothing leaves a trace.
  expect(201, await call('POST', `/api/v1/tokens/${target.id}/revoke`))
  expect(404, await call('POST', `/api/v1/tokens/${holder.userId}/revoke`))
  const reader = await issueTo(service, holder)
  expect(200, await saveMember(service, { ...holder, role: 'viewer' }))
  expect(200, await call('POST', `/api/v1/businesses/${businessId}/members/${holder.userId}/revoke-tokens`))
  expect(200, await call('DELETE', `/api/v1/businesses/${businessId}/members/${holder.userId}`))
  const rotated = expect(200, await call('POST', '/api/v1/keys/rotate', { token: operatorToken })).json.data.kid
  const successor = issued(await call('POST', '/api/v1/tokens', { token: operatorToken, json: { name: 'x' } }))
  const old = expect(200, await call('GET', '/api/v1/keys', { token: successor.token })).json.data.items[0].kid
  expect(200, await call('POST', `/api/v1/keys/${old}/retire`, { token: successor.token }))

  const events = await trail(service, startMs)
  assert.deepEqual(
    events.map(({ action, token_id, subject_id }) => [action, token_id, subject_id].join(' ')).toSorted(),
    [
      ['member.saved', recordOf(operatorToken), holder.userId],
      ['token.issued', recordOf(operatorToken), target.id],
      ['token.revoked', recordOf(ownerToken), target.id],
      ['token.issued', recordOf(operatorToken), reader.id],
      ['member.saved', recordOf(operatorToken), holder.userId],
      ['token.revoked', recordOf(operatorToken), reader.id],
      ['member.revoked', recordOf(ownerToken), holder.userId],
      ['member.removed', recordOf(ownerToken), holder.userId],
      ['key.added', recordOf(operatorToken), rotated],
      ['token.issued', recordOf(operatorToken), successor.id],
      ['key.retired', successor.id, old],
    ]
      .map((event) => event.join(' '))
      .toSorted(),
  )
  const revocation = events.find(({ request_id }) => request_id === 'revoke-1')
  assert.deepEqual(
    [revocation?.email, revocation?.claimed_email, revocation?.request_id, revocation?.business_id],
    ['owner@localhost', 'mallory@example.com', 'revoke-1', businessId],
  )
})

test('every token records which token issued it', async (t) => {
  const service = await runService(t)
  const { call, ownerToken, operatorToken } = service
  const own = issued(await call('POST', '/api/v1/tokens', { json: { name: 'x' } }))
  const child = issued(await call('POST', '/api/v1/tokens', { token: own.token, json: { name: 'x' } }))
  const granted = await issueTo(service, await addMember(service, 'viewer'))
  const issuers = await read<{ id: string; issued_by: string | null }>(service, 'SELECT id, issued_by FROM tokens')
  const issuerOf = new Map(issuers.map(({ id, issued_by }) => [id, issued_by]))
  assert.equal(issuerOf.get(recordOf(ownerToken)), null)
  assert.equal(issuerOf.get(own.id), recordOf(ownerToken))
  assert.equal(issuerOf.get(child.id), own.id)
  assert.equal(issuerOf.get(granted.id), recordOf(operatorToken))
})

interface Event {
  readonly action: string
  readonly request_id: string
  readonly token_id: string | null
  readonly email: string
  readonly claimed_email: string | null
  readonly business_id: string | null
  readonly subject_id: string
  readonly at_ms: number
}

/** What happened since `fromMs`, but for the first start. */
async function trail(service: RunningService, fromMs: number): Promise<Event[]> {
  const events = await read<Event>(service, "SELECT * FROM audit_events WHERE request_id <> 'offline'")
  for (const { at_ms } of events) assert.ok(at_ms >= fromMs && at_ms <= Date.now())
  return events
}

/** Reads the database of the service, which is stopped for it. */
async function read<Row>(service: RunningService, sql: string): Promise<Row[]> {
  await service.stop()
  const [rows = []] = await readStored(service.dataDir, sql)
  return rows as Row[]
}

/** Id of a token's record. */
function recordOf(token: string): string {
  return JSON.parse(`${decodeBase64url(token.split('.')[1] ?? '')}`).client_id
}
