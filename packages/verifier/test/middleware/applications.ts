import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import express, { type ErrorRequestHandler } from 'express'
import fastify, { type FastifyRequest } from 'fastify'
import { Hono } from 'hono'
import type { Token, Verifier } from '../../index.ts'
import { protect as protectExpress, type Refusal, type Requirements } from '../../middleware/express.ts'
import { protect as protectFastify } from '../../middleware/fastify.ts'
import { protect as protectHono } from '../../middleware/hono.ts'

/** Whatever runs a function when it ends. */
export interface Lifetime {
  after(end: () => Promise<unknown>): void
}

type LookUp = (name: string) => string | undefined

/** `GET /reports`, protected. */
export interface Route {
  readonly verifier: Pick<Verifier, 'verify'>
  readonly scopes?: readonly string[]
  /** The function is given the headers of the request. */
  readonly businessId?: string | ((header: LookUp) => string | undefined | Promise<string | undefined>)
  readonly onRefused?: (refusal: Refusal) => unknown
  /** Instead of these, as untyped code may name them. */
  readonly requirements?: object
  /** Gives the text of the answer. */
  readonly handle: (token: Token) => string
}

/** Serves a route on a real port until the end. What fails is answered with 500 and the message. */
type StartApplication = (t: Lifetime, route: Route) => Promise<string>

export const APPLICATIONS: Readonly<Record<'express' | 'express 4' | 'fastify' | 'hono', StartApplication>> = {
  express: (t, route) => startExpress(t, route, express),
  // Its types are those of Express 5, as far as they matter here.
  'express 4': (t, route) => startExpress(t, route, createRequire(import.meta.url)('express-4')),

  fastify: async (t, route) => {
    const app = fastify()
    const requirements = requirementsOf<FastifyRequest>(route, (request, name) => request.headers[name]?.toString())
    app.get('/reports', { onRequest: protectFastify(route.verifier, requirements) }, async (request) =>
      route.handle(request.token),
    )
    app.setErrorHandler<Error>((error, _request, reply) => reply.code(500).send(error.message))
    await app.ready()
    t.after(() => app.close())
    return app.listen({ port: 0, host: '127.0.0.1' })
  },

  hono: (t, route) => {
    const requirements: Requirements<{ req: { header: LookUp } }> = requirementsOf(route, ({ req }, name) =>
      req.header(name),
    )
    const app = new Hono()
      .get('/reports', protectHono(route.verifier, requirements), (c) => c.text(route.handle(c.var.token)))
      .onError((error, c) => c.text(error.message, 500))
    return listening(t, createAdaptorServer({ fetch: app.fetch }) as Server)
  },
}

function startExpress(t: Lifetime, route: Route, framework: typeof express): Promise<string> {
  const app = framework()
  const requirements = requirementsOf<express.Request>(route, (request, name) => request.get(name))
  app.get('/reports', protectExpress(route.verifier, requirements), (request, response) => {
    response.send(route.handle(request.token))
  })
  const onError: ErrorRequestHandler = (error, _request, response, _next) => {
    response.status(500).send(String(error.message))
  }
  app.use(onError)
  return listening(t, createServer(app))
}

export async function listening(t: Lifetime, server: Server): Promise<string> {
  t.after(async () => {
    server.closeAllConnections()
    server.close()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function requirementsOf<Request>(
  { scopes, businessId, onRefused, requirements }: Route,
  header: (request: Request, name: string) => string | undefined,
): Requirements<Request> {
  if (requirements !== undefined) return requirements
  return {
    ...(scopes !== undefined && { scopes }),
    ...(typeof businessId === 'string' && { businessId }),
    ...(typeof businessId === 'function' && {
      businessId: (request: Request) => businessId((name) => header(request, name)),
    }),
    ...(onRefused !== undefined && { onRefused }),
  }
}
