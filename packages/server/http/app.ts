import { once } from 'node:events'
import { ERRORS, type ErrorCode, FEED_PATH } from '@rescind/protocol'
import { type FastifyInstance, fastify } from 'fastify'
import type { Logger } from 'pino'
import { AllowedMethods } from './allowed-methods.ts'
import { answerClientErrors } from './client-error.ts'
import { parseQueryString, type QueryParameters } from './decode/query-string.ts'
import { addDocsPage } from './docs-page.ts'
import { FeedDoor, type VerifierFeed } from './feed-door.ts'
import { createHttpServer } from './http-server.ts'
import { DEFAULT_LIMITS, type Limits } from './limits.ts'
import { routerPath } from './path-pattern.ts'
import { requestId } from './request-id.ts'
import { logExchange } from './request-log.ts'
import type { PathParams, Route } from './route.ts'
import { serveRoute } from './serve-route.ts'
import type { Shell } from './shell.ts'
import { addSystemRoutes } from './system-routes.ts'
import { Traffic } from './traffic.ts'

export interface AppOptions {
  readonly routes: readonly Route[]
  readonly authenticate: Shell['authenticate']
  readonly feed: VerifierFeed
  readonly logger: Logger
  /** The JWK set to publish. */
  readonly jwks: () => object
  /** The OpenAPI document to publish. */
  readonly document: object
  /** Whether this node may decide now. */
  readonly isReady: () => boolean
  /** Milliseconds on a clock that never goes back. */
  readonly monotonicMs: () => number
  /** At most 64 characters of `[A-Za-z0-9_-]`. */
  readonly newRequestId: () => string
  readonly limits?: Partial<Limits>
}

/** The HTTP side of the service. */
export interface App {
  readonly fastify: FastifyInstance
  /**
   * Shuts down: new requests are answered 503, requests in progress finish, then the server closes. What is not
   * finished when `deadline` aborts is cut off. Resolves when everything is closed.
   *
   * @param endFeed ends the connections of the feed, once no request needs them any more
   */
  drain(deadline: AbortSignal, endFeed?: () => Promise<void>): Promise<void>
}

/** Builds the server of `routes`. It listens once `fastify.listen` is called. */
export function createApp(options: AppOptions): App {
  const { logger, monotonicMs, newRequestId } = options
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const traffic = new Traffic({
    monotonicMs,
    requestId: (request) => requestId(request, newRequestId),
    onEnd: (exchange) => logExchange(logger, exchange, monotonicMs()),
  })
  const onUnreadable = (id: string, code: ErrorCode) =>
    logger.info({ requestId: id, status: ERRORS[code].status, error: code }, ERRORS[code].log)

  const shell: Shell = { limits, authenticate: options.authenticate, monotonicMs }
  const door = new FeedDoor({ ...shell, feed: options.feed, traffic })
  const app: FastifyInstance = fastify({
    logger: false,
    return503OnClosing: false,
    serverFactory: (listener) => createHttpServer({ limits, traffic, upgrades: door }, listener),
    clientErrorHandler: answerClientErrors({ traffic, newRequestId, onUnreadable }),
    frameworkErrors: (_error, request, reply) => {
      reply.hijack()
      traffic.of(request.raw).refuse('bad_request')
    },
    routerOptions: {
      // A path parameter of any length that fits the headers is judged as an id, not by the router.
      maxParamLength: limits.headerBytes,
      querystringParser: parseQueryString,
    },
  })
  readBodiesOurselves(app)
  answerUnknown(app, traffic)
  answerFaults(app, traffic)

  for (const route of options.routes) {
    const serve = serveRoute(shell, route)
    app.route<{ Params: PathParams; Querystring: QueryParameters }>({
      method: route.method,
      url: routerPath(route.path),
      handler: (request, reply) => {
        reply.hijack()
        serve(traffic.of(request.raw), request.params, request.query)
      },
    })
  }
  app.get(FEED_PATH, (request, reply) => {
    reply.hijack()
    door.refuse(traffic.of(request.raw))
  })
  addSystemRoutes(app, { traffic, jwks: options.jwks, document: options.document, isReady: options.isReady })
  addDocsPage(app, traffic, options.document)
  return { fastify: app, drain: (deadline, endFeed) => drain(app, traffic, deadline, endFeed) }
}

/** The body is read after all checks that need none, so Fastify must not read it first. */
function readBodiesOurselves(app: FastifyInstance): void {
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY']) {
    app.addHttpMethod(method, { hasBody: false, overrideExisting: true })
  }
}

function answerUnknown(app: FastifyInstance, traffic: Traffic): void {
  const allowed = new AllowedMethods()
  app.addHook('onRoute', ({ url, method }) => {
    for (const each of [method].flat()) allowed.add(url, each)
  })
  app.setNotFoundHandler((request, reply) => {
    reply.hijack()
    const exchange = traffic.of(request.raw)
    const methods = allowed.of(request.raw.url ?? '')
    if (methods.length === 0 || methods.includes(request.method)) exchange.refuse('route_not_found')
    else exchange.refuse('method_not_allowed', { allow: methods.join(', ') })
  })
}

function answerFaults(app: FastifyInstance, traffic: Traffic): void {
  app.setErrorHandler((fault: unknown, request, reply) => {
    reply.hijack()
    const exchange = traffic.of(request.raw)
    if (isClientError(fault)) exchange.refuse('bad_request')
    else exchange.fail(fault)
  })
}

/** What Fastify and its plugins throw when the request, not the service, is at fault. */
function isClientError(fault: unknown): boolean {
  if (!(fault instanceof Error) || !('statusCode' in fault)) return false
  return typeof fault.statusCode === 'number' && fault.statusCode >= 400 && fault.statusCode < 500
}

/** Closes the server without dropping what it works on, until `deadline` aborts. */
async function drain(
  app: FastifyInstance,
  traffic: Traffic,
  deadline: AbortSignal,
  endFeed?: () => Promise<void>,
): Promise<void> {
  const expired = deadline.aborted ? Promise.resolve() : once(deadline, 'abort')
  await Promise.race([traffic.drain(), expired])
  await endFeed?.()
  const closed = app.close()
  traffic.closeUnused()
  await Promise.race([closed, expired])
  traffic.cutOff()
  await closed
}
