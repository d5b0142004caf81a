import assert from 'node:assert/strict'
import { test } from 'node:test'
import express from 'express'
import fastify, { type FastifyRequest } from 'fastify'
import { type Context, Hono } from 'hono'
import type { Token, Verifier } from '../../index.ts'
import { protect as protectExpress, type Requirements } from '../../middleware/express.ts'
import { protect as protectFastify } from '../../middleware/fastify.ts'
import { type ProtectedEnv, protect as protectHono } from '../../middleware/hono.ts'
import { tokenWorld } from './token-world.ts'

// What is checked here is checked by the compiler; running it shows that none of it throws.
const { verifier } = tokenWorld()

/** True only of a type that is another one exactly; `any` is not. */
type Is<Type, Other> = (<T>() => T extends Type ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false

const isToken = <Type>(_token: Type, is: Is<Type, Token>) => is

test('a whole verifier protects, and so does the smallest part of one', () => {
  const part = { verify: async () => ({ status: 'undecided', reason: 'closed' }) as const }
  const protections: readonly ((whole: Verifier) => unknown)[] = [protectExpress, protectFastify, protectHono]
  for (const protect of protections) assert.ok(protect)
  assert.ok(protectExpress(part) && protectFastify(part) && protectHono(part))
})

test('wrong requirements do not compile', () => {
  // @ts-expect-error
  assert.throws(() => protectExpress(verifier, { scope: ['reports:read'] }))
  // @ts-expect-error
  assert.throws(() => protectFastify(verifier, { scope: ['reports:read'] }))
  // @ts-expect-error
  assert.throws(() => protectHono(verifier, { scope: ['reports:read'] }))
  // @ts-expect-error
  protectExpress(verifier, { scopes: 'reports:read' })
  // @ts-expect-error
  protectFastify(verifier, { scopes: undefined })
  // @ts-expect-error
  protectHono(verifier, { businessId: undefined })
  // @ts-expect-error
  protectExpress(verifier, { businessId: (request) => request.no })
  // @ts-expect-error
  protectFastify(verifier, { businessId: (request) => request.no })
  // @ts-expect-error
  protectHono(verifier, { businessId: (c) => c.no })
  // @ts-expect-error
  protectExpress(Promise.resolve(verifier))
})

test('Express: handlers have the token, and keep the types of parameters and bodies', () => {
  const app = express()
  app.use(protectExpress(verifier), protectExpress(verifier, { scopes: ['a'] as const }))
  app.get('/b/:businessId', protectExpress(verifier, { businessId: (r) => r.params.businessId }), (request) => {
    const { token } = request
    isToken(token, true)
    request.params satisfies { businessId: string }
    // @ts-expect-error
    request.token = token
  })
  const typed: express.RequestHandler<{ id: string }, { sum: number }, { add: number }> = (request, response) => {
    response.json({ sum: request.body.add + request.token.scopes.length })
  }
  app.post('/sums/:id', protectExpress(verifier), typed)
  express.Router().all('/all', [protectExpress(verifier)])
  const requirements: Requirements<express.Request> = {
    businessId: (request) => request.get('x-business-id'),
    onRefused: ({ status, reason, tokenId }, request) => `${status} ${reason} ${tokenId ?? '-'} ${request.path}`,
  }
  protectExpress(verifier, requirements) satisfies express.RequestHandler
})

test('Fastify: handlers have the token, on routes and servers of every kind', () => {
  const app = fastify()
  const onRequest = protectFastify(verifier, { businessId: (request) => request.headers['x-business-id'] })
  app.addHook('onRequest', onRequest)
  app.addHook('preValidation', protectFastify(verifier))
  app.addHook('preHandler', protectFastify(verifier, { onRefused: ({ reason }, request) => request.log.info(reason) }))
  app.get<{ Params: { id: string }; Reply: { 200: string } }>(
    '/typed/:id',
    { onRequest, preHandler: [protectFastify(verifier)] },
    async (request) => {
      const { token } = request
      isToken(token, true)
      // @ts-expect-error
      request.token = token
      return request.params.id
    },
  )
  const businessOf = (request: FastifyRequest) => request.headers['x-business-id']
  app.get('/named', { onRequest: protectFastify(verifier, { businessId: businessOf }) }, async () => '')
  type OfBusiness = { Params: { businessId: string } }
  app.get<OfBusiness>(
    '/b/:businessId',
    { onRequest: protectFastify(verifier, { businessId: (r: FastifyRequest<OfBusiness>) => r.params.businessId }) },
    async ({ params }) => params.businessId,
  )
  const http2 = fastify({ http2: true })
  http2.addHook('onRequest', onRequest)
  http2.get('/', { onRequest, preHandler: protectFastify(verifier) }, async (request) => isToken(request.token, true))
})

test('Hono: handlers behind it have the token, and others have none', () => {
  const app = new Hono<{ Variables: { requestId: string } }>()
  app.get('/', (c) => {
    // @ts-expect-error
    c.var.token satisfies Token
    return c.body(null)
  })
  app.get('/a', protectHono(verifier, { businessId: (c) => c.req.header('x-business-id') }), (c) => {
    isToken(c.var.token, true)
    isToken(c.get('token'), true)
    return c.text(c.var.requestId satisfies string)
  })
  const businessOf = (c: Context<ProtectedEnv>) => c.req.param('businessId')
  app.get('/b/:businessId', protectHono(verifier, { businessId: businessOf }), (c) => c.text(c.req.param('businessId')))
  new Hono().use(protectHono(verifier)).get('/', (c) => c.text(String(isToken(c.var.token, true))))
  const whole = new Hono<ProtectedEnv>()
  whole.use(protectHono(verifier))
  whole.get('/', (c) => c.text(String(isToken(c.var.token, true))))
})
