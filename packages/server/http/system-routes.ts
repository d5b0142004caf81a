import type { FastifyInstance, FastifyRequest } from 'fastify'
import { refuse, respond } from './respond.ts'
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
  const answerJson = (path: string, body: () => string) =>
    app.get(path, (request, reply) => {
      reply.hijack()
      const exchange = opened(request, path)
      if (traffic.draining) refuse(traffic, exchange, 'draining')
      else respond(traffic, exchange, 200, body())
    })

  answerJson(SYSTEM_PATHS.jwks, () => JSON.stringify(jwks()))
  answerJson(SYSTEM_PATHS.openapi, () => documentJson)

  // Alive while shutting down too: it ends by itself and need not be killed.
  app.get(SYSTEM_PATHS.live, (request, reply) => {
    reply.hijack()
    respond(traffic, opened(request, SYSTEM_PATHS.live), 200, '{"status":"live"}')
  })

  app.get(SYSTEM_PATHS.ready, (request, reply) => {
    reply.hijack()
    const exchange = opened(request, SYSTEM_PATHS.ready)
    if (traffic.draining) refuse(traffic, exchange, 'draining')
    else if (!isReady()) refuse(traffic, exchange, 'may_not_decide')
    else respond(traffic, exchange, 200, '{"status":"ready"}')
  })

  function opened(request: FastifyRequest, path: string) {
    const exchange = traffic.of(request.raw)
    exchange.route = path
    return exchange
  }
}
