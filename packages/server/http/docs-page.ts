import swagger, { type StaticDocumentSpec } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import type { Traffic } from './traffic.ts'

/** Scripts, styles and data from this server only; pictures may also stand inside the style sheet. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

const DOCS_PATH = '/docs'

/** The browsable reference of the API at `/docs`. Nothing in it is fetched from, or sent to, anywhere else. */
export function addDocsPage(app: FastifyInstance, traffic: Traffic, document: object): void {
  app.register(async (scope) => {
    scope.addHook('onRequest', (request, reply, done) => {
      const exchange = traffic.of(request.raw)
      exchange.route = request.routeOptions.url ?? DOCS_PATH
      // Comes after the last byte and after a client that is gone before the first.
      reply.raw.on('close', () => traffic.end(exchange))
      // Parts of these files are of use to nobody, and a range beyond the end is an error.
      delete request.raw.headers.range
      reply.header('x-request-id', exchange.id)
      reply.header('x-content-type-options', 'nosniff')
      reply.header('referrer-policy', 'no-referrer')
      done()
    })
    await scope.register(swagger, {
      mode: 'static',
      specification: { document: document as StaticDocumentSpec['document'] },
    })
    await scope.register(swaggerUi, {
      routePrefix: DOCS_PATH,
      staticCSP: CONTENT_SECURITY_POLICY,
      theme: { title: 'Rescind API' },
      uiConfig: { layout: 'BaseLayout', deepLinking: true, validatorUrl: null },
    })
  })
}
