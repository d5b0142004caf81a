import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import { type ClientAnswer, createHttpClient, type HttpClient } from './http-client.ts'
import { temporaryFolder } from './running-service.ts'
import { type Printed, printedTokens, type ServiceProcess, serve } from './service-process.ts'

/** A service in a process of its own, freshly set up, and what the tests ask of it over and over. */
interface ServedInstallation extends Printed {
  readonly service: ServiceProcess
  readonly dataDir: string
  readonly client: HttpClient
  /** A new business with one member of each given role, made by the operator. */
  createBusiness(...roles: readonly string[]): Promise<ServedBusiness>
}

export interface ServedBusiness {
  readonly id: string
  readonly members: readonly ServedMember[]
  /** One member, by position. */
  member(at: number): ServedMember
}

interface ServedMember {
  readonly userId: string
  readonly email: string
  /** Issues a token to this member in the operator's name. */
  issue(operatorToken?: string, json?: object): Promise<ClientAnswer>
}

export async function serveInstallation(
  t: TestContext,
  env: Readonly<Record<string, string>> = {},
): Promise<ServedInstallation> {
  const dataDir = await temporaryFolder(t)
  const service = await serve(t, { dataDir, env })
  const printed = await printedTokens(service)
  const client = createHttpClient(service.url)
  t.after(() => client.close())
  const createBusiness = (...roles: readonly string[]) => newBusiness(client, printed.operatorToken, roles)
  return { ...printed, service, dataDir, client, createBusiness }
}

async function newBusiness(client: HttpClient, token: string, roles: readonly string[]): Promise<ServedBusiness> {
  const id = randomUUID()
  await saved(client, { token, path: `/api/v1/businesses/${id}`, json: { name: 'A business' } })
  const members: ServedMember[] = []
  for (const role of roles) {
    const userId = randomUUID()
    const email = `${userId}@example.com`
    await saved(client, { token, path: `/api/v1/businesses/${id}/members/${userId}`, json: { email, role } })
    const issue = (operatorToken = token, json: object = { name: 'issued' }) =>
      client.send({
        method: 'POST',
        path: '/api/v1/tokens',
        token: operatorToken,
        business: id,
        headers: { 'x-user-email': email },
        json,
      })
    members.push({ userId, email, issue })
  }
  const member = (at: number) => members[at] ?? assert.fail('no such member')
  return { id, members, member }
}

async function saved(client: HttpClient, request: { token: string; path: string; json: object }): Promise<void> {
  const answer = await client.send({ method: 'PUT', ...request })
  assert.equal(answer.status, 200, answer.text)
}

/** The status of a use of a token at an endpoint that every role may call. */
export async function use(client: HttpClient, token: string, business?: string): Promise<number> {
  const request = { method: 'GET', path: '/api/v1/tokens?limit=1', token }
  return (await client.send(business === undefined ? request : { ...request, business })).status
}
