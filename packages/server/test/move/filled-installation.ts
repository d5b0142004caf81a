import { randomUUID } from 'node:crypto'
import { openSqlite } from '../../storage/sqlite/open-sqlite.ts'
import { addBusiness, addMember, expect, type Holder, type Issued, issued, issueTo } from '../service/provisioning.ts'
import { type RunningService, runService } from '../service/running-service.ts'
import { joinNode } from '../storage/fixtures.ts'

/** Whatever runs a function when it ends. */
interface Lifetime {
  after(end: () => Promise<unknown>): void
}

/** A service on a data folder with something of everything in it. */
export interface FilledInstallation {
  readonly service: RunningService
  readonly alive: readonly Issued[]
  readonly revoked: readonly Issued[]
  /** What the API says of it, by the path that was asked. Asking changes none of it. */
  answers(service: RunningService): Promise<ReadonlyMap<string, string>>
}

/** What is hard to carry along: what one database has no character for, pairs of surrogates, quotes, line ends. */
const HARD_TEXT = '\u0000 \u0001\u0002 😀 Ärger "\\" \u2028 \n\t\u007f ﷺ'

/** Of the node that {@link leaveHolders} leaves behind. */
export const LEFT_LEASE_MS = 2_000

export async function fillInstallation(t: Lifetime): Promise<FilledInstallation> {
  const service = await runService(t, { databaseUrl: undefined, maxActiveTokens: 100, leaseSeconds: 2 })
  const { call, operatorToken, businessId } = service
  const operator = { token: operatorToken, business: null }
  const alive: Issued[] = [{ token: service.ownerToken, id: '', jti: '' }]
  const revoked: Issued[] = []
  const keep = async (holder: Holder, fields: object = {}) => alive.push(await issueTo(service, holder, fields))
  const end = async (holder: Holder) => revoked.push(await issueTo(service, holder))

  const kid = expect(200, await call('POST', '/api/v1/keys/rotate', operator)).json.data.kid
  const other = await addBusiness(service)
  const holders = [await addMember(service, 'member'), await addMember(service, 'admin', other)]
  for (const holder of holders) await end(holder)
  expect(200, await call('POST', '/api/v1/keys/rotate', { ...operator, json: { alg: 'ES256' } }))
  expect(200, await call('POST', `/api/v1/keys/${kid}/retire`, operator))

  const [first, second] = holders as [Holder, Holder]
  await end(second)
  const bulk = (path: string) => call('POST', `${path}/revoke-tokens`, { ...operator, json: { reason: HARD_TEXT } })
  expect(200, await bulk(`/api/v1/businesses/${other}`))
  await keep(second, { name: HARD_TEXT, description: HARD_TEXT })
  await end(first)
  expect(200, await bulk(`/api/v1/businesses/${businessId}/members/${first.userId}`))
  await keep(first)
  const removed = await addMember(service, 'viewer')
  await end(removed)
  expect(200, await call('DELETE', `/api/v1/businesses/${businessId}/members/${removed.userId}`, operator))
  for (const reason of [HARD_TEXT, undefined]) {
    const { token, id, jti } = await issueTo(service, first)
    expect(201, await call('POST', `/api/v1/tokens/${id}/revoke`, { json: { reason } }))
    revoked.push({ token, id, jti })
  }
  const operators = issued(await call('POST', '/api/v1/tokens', { ...operator, json: { name: 'another operator' } }))
  expect(201, await call('POST', `/api/v1/tokens/${operators.id}/revoke`, operator))
  revoked.push(operators)
  await keep(first, { name: 'used' })

  // One that used them is heard of at the next start, by its own last words.
  const used = await service.restart()
  for (const { token } of alive) await used.call('GET', '/api/v1/tokens', { token, business: randomUUID() })
  const restarted = await used.restart()
  const asked = [
    { business: businessId, email: 'owner@localhost' },
    { business: other, email: second.email },
  ]
  return {
    service: restarted,
    alive,
    revoked,
    answers: async (asking) => {
      const answers = new Map<string, string>()
      const ask = async (path: string, options: Parameters<RunningService['call']>[2]) => {
        const { status, text } = await asking.call('GET', path, { token: operatorToken, ...options })
        // A cursor is another one each time.
        answers.set(`${options?.business} ${path}`, `${status} ${text.replace(/"next_cursor":"[^"]+"/, '')}`)
      }
      for (const { business, email } of asked) {
        const headers = { 'x-user-email': email }
        const all = 'all=true&include_revoked=true&include_total_count=true'
        for (const sort of ['created_at', 'name', 'expires_at', 'last_used_at']) {
          await ask(`/api/v1/tokens?${all}&sort_by=${sort}`, { business, headers })
        }
        await ask(`/api/v1/tokens?${all}&limit=2`, { business, headers })
        await ask(`/api/v1/businesses/${business}`, { business: null })
        for (const { userId } of [first, second, removed]) {
          await ask(`/api/v1/businesses/${business}/members/${userId}`, { business: null })
        }
      }
      await ask('/api/v1/keys', { business: null })
      answers.set('keys', await (await fetch(`${asking.url}/.well-known/jwks.json`)).text())
      return answers
    },
  }
}

/** Leaves behind a node that ended without leaving, and granted leases before. @returns its id */
export async function leaveHolders(dataDir: string): Promise<string> {
  const storage = await openSqlite({ dataDir, clock: { nowMs: () => Date.now() } })
  try {
    return await joinNode(storage, LEFT_LEASE_MS)
  } finally {
    await storage.close()
  }
}
