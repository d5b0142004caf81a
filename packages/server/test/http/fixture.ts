import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingHttpHeaders, request } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { pino } from 'pino'
import { Type } from 'typebox'
import type { Authentication } from '../../access/authentication.ts'
import type { Principal } from '../../access/principal.ts'
import { type App, type AppOptions, createApp } from '../../http/app.ts'
import { FreeText } from '../../http/decode/free-text.ts'
import type { ValidationError } from '../../http/decode/validation-error.ts'
import { describeApi } from '../../http/openapi/describe-api.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { APITokenCreate, APITokenListQuery, APITokenRevokeRequest } from '../../http/schemas.ts'

/** The HTTP shell with sample routes and a table of credentials in place of the domain. */

export const BUSINESS = '01890000-0000-7000-8000-00000000000b'
export const OTHER_BUSINESS = '01890000-0000-7000-8000-00000000000c'
export const TOKEN_ID = '01890000-0000-7000-8000-0000000000aa'

const holder = {
  tokenId: '01890000-0000-7000-8000-0000000000ee',
  idx: 1,
  userId: '01890000-0000-7000-8000-0000000000ff',
  email: 'ada@example.org',
}
export const OWNER: Principal = {
  ...holder,
  kind: 'member',
  scopes: new Set(['tokens:read', 'tokens:write']),
  businessId: BUSINESS,
  role: 'owner',
}
export const READER: Principal = { ...OWNER, scopes: new Set(['tokens:read']) }
/** May follow the feed and nothing else. */
export const FOLLOWER: Principal = { ...holder, kind: 'operator', scopes: new Set(['feed']) }
export const OPERATOR: Principal = { ...holder, kind: 'operator', scopes: new Set(['operator']) }

const PRINCIPALS = new Map<string, Principal>([
  ['Bearer owner', OWNER],
  ['Bearer reader', READER],
  ['Bearer operator', OPERATOR],
  ['Bearer follower', FOLLOWER],
])

/** Accepts the credentials above. */
export async function authenticate(authorization: readonly string[]): Promise<Authentication> {
  const [header] = authorization
  if (header === undefined) return { rejected: 'no_credential', presented: false }
  if (authorization.length > 1) return { rejected: 'several_credentials', presented: true }
  if (header === 'Bearer lapsed') return { unavailable: 'may_not_decide' }
  const principal = PRINCIPALS.get(header)
  if (principal === undefined) return { rejected: 'malformed', presented: true }
  return { principal }
}

const Echo = Type.Object({}, { title: 'Echo' })
const shared = { tag: 'samples', summary: 'Sample', description: 'A sample.', errors: [] } as const
const answering = <const Status extends 200 | 201>(status: Status) =>
  ({ status, description: 'Done', schemaName: 'SuccessEnvelope_Echo_', data: Echo, codes: ['TOKEN_FOUND'] }) as const

/** Routes with the schemas of the real ones; each answers with the call it got. */
export const sampleRoutes: readonly Route[] = [
  defineRoute({
    ...shared,
    method: 'POST',
    path: '/api/v1/tokens/{token_id}/revoke',
    operationId: 'sample_revoke',
    scopes: ['tokens:write'],
    business: 'header',
    body: APITokenRevokeRequest,
    bodyOptional: true,
    success: answering(201),
    handler: ({ params, body, businessId, claimedEmail, requestId }) => ({
      code: 'TOKEN_FOUND',
      data: { params, body, businessId, claimedEmail, requestId },
    }),
  }),
  defineRoute({
    ...shared,
    method: 'POST',
    path: '/api/v1/tokens',
    operationId: 'sample_create',
    scopes: ['tokens:write'],
    business: 'header',
    body: APITokenCreate,
    success: answering(201),
    handler: ({ body }) => ({ code: 'TOKEN_FOUND', data: { body } }),
  }),
  defineRoute({
    ...shared,
    method: 'GET',
    path: '/api/v1/tokens',
    operationId: 'sample_list',
    scopes: ['tokens:read'],
    business: 'header',
    query: APITokenListQuery,
    success: answering(200),
    handler: ({ query }) => ({ code: 'TOKEN_FOUND', data: { query } }),
  }),
  defineRoute({
    ...shared,
    method: 'PUT',
    path: '/api/v1/businesses/{business_id}',
    operationId: 'sample_save',
    scopes: ['operator'],
    business: 'path',
    query: Type.Object({ limit: Type.Integer({ minimum: 1 }) }),
    body: Type.Object({ name: FreeText({ minLength: 1 }) }, { title: 'SampleSave' }),
    success: answering(200),
    handler: ({ businessId }) => ({ code: 'TOKEN_FOUND', data: { businessId } }),
  }),
]

/** A running shell. */
export interface Running {
  readonly app: App
  readonly port: number
  /** Every log line so far, parsed. */
  readonly log: Record<string, unknown>[]
  close(): Promise<void>
}

export async function startApp(options: Partial<AppOptions> = {}): Promise<Running> {
  const log: Record<string, unknown>[] = []
  let requests = 0
  const routes = options.routes ?? sampleRoutes
  const app = createApp({
    routes,
    authenticate,
    feed: { accept: () => assert.fail('nobody expected a verifier') },
    logger: pino({ base: null }, { write: (line: string) => void log.push(JSON.parse(line)) }),
    jwks: () => ({ keys: [] }),
    document: describeApi(routes, { title: 'Sample', version: '0.0.0', description: 'Sample routes' }),
    isReady: () => true,
    monotonicMs: () => performance.now(),
    newRequestId: () => `request-${++requests}`,
    ...options,
  })
  await app.fastify.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.fastify.server.address() as AddressInfo
  const close = () => app.drain(AbortSignal.abort())
  running.add(close)
  return { app, port, log, close }
}

const running = new Set<() => Promise<void>>()

/** Closes what a test that failed left open, so that its process ends. */
export async function closeAll(): Promise<void> {
  await Promise.all([...running].map((close) => close()))
}

export interface Sent {
  readonly method?: string
  readonly path: string
  readonly headers?: Record<string, string | string[]>
  readonly body?: string | Uint8Array | undefined
}

/** What answers are made of. */
export interface Document {
  readonly detail?: unknown
  readonly data?: unknown
}

export interface Received {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The document, when the answer is JSON with one. */
  readonly json: Document | null
}

/** One request on a connection of its own, with no header that was not asked for. */
export async function send(port: number, sent: Sent): Promise<Received> {
  const outgoing = request({
    host: '127.0.0.1',
    port,
    method: sent.method ?? 'GET',
    path: sent.path,
    headers: sent.headers ?? {},
    agent: false,
  })
  outgoing.end(sent.body)
  const [incoming] = await once(outgoing, 'response')
  const chunks: Buffer[] = await incoming.toArray()
  const text = Buffer.concat(chunks).toString('utf8')
  const isJson = incoming.headers['content-type'] === 'application/json'
  return {
    status: incoming.statusCode,
    headers: incoming.headers,
    text,
    json: isJson && text ? JSON.parse(text) : null,
  }
}

/** The entries of a 422 answer. */
export function validationErrors({ status, text }: Received): readonly ValidationError[] {
  assert.equal(status, 422, text)
  return JSON.parse(text).detail
}

/** Headers of the owner of {@link BUSINESS}. */
export const asOwner = { authorization: 'Bearer owner', 'x-business-id': BUSINESS }

/** A connection for bytes that no HTTP client would send. */
export async function openSocket(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

/** Everything the server sends until it closes the connection. */
export async function readToEnd(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
