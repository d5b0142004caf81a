import type { FastifyInstance } from 'fastify'
import type { Exchange } from './exchange.ts'
import type { Traffic } from './traffic.ts'

interface Deps {
  readonly traffic: Traffic
  /** The JWK set that verifiers fetch (RFC 7517 section 5). */
  readonly jwks: () => object
  readonly document: object
  readonly isReady: () => boolean
}

/** Paths that everybody may read: health, the public keys and the description of the API. */
export const SYSTEM_PATHS = {
  live: '/health/live',
  ready: '/health/ready',
  jwks: '/.well-known/jwks.json',
  openapi: '/openapi.json',
} as const

export function addSystemRoutes(app: FastifyInstance, { traffic, jwks, document, isReady }: Deps): void {
  const documentJson = JSON.stringify(document)
  get(SYSTEM_PATHS.live, (exchange) => exchange.respond(200, '{"status":"live"}'))
  get(SYSTEM_PATHS.ready, (exchange) =>
    isReady() ? exchange.respond(200, '{"status":"ready"}') : exchange.refuse('may_not_decide'),
  )
  get(SYSTEM_PATHS.jwks, (exchange) => exchange.respond(200, JSON.stringify(jwks())))
  get(SYSTEM_PATHS.openapi, (exchange) => exchange.respond(200, documentJson))

  function get(path: string, answer: (exchange: Exchange) => void): void {
    app.get(path, (request, reply) => {
      reply.hijack()
      const exchange = traffic.of(request.raw)
      exchange.route = path
      answer(exchange)
    })
  }
}
