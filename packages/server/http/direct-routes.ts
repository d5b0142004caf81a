import type { IncomingMessage } from 'node:http'
import { pathParameters } from './path-pattern.ts'
import { NO_PARAMETERS } from './query-string.ts'
import type { Route } from './route.ts'
import type { PathParams, RouteServer } from './serve-route.ts'
import type { Traffic } from './traffic.ts'

const NO_IDS: PathParams = {}

/**
 * Routes without path parameters, called without a query: one look into a map finds them, and no router, request or
 * reply object is needed. Every other request goes through Fastify and ends in the same {@link RouteServer}.
 */
export class DirectRoutes {
  readonly #servers = new Map<string, Map<string, RouteServer>>()

  add(route: Route, serve: RouteServer): void {
    if (pathParameters(route.path).length > 0) return
    const known = this.#servers.get(route.path)
    if (known === undefined) this.#servers.set(route.path, new Map([[route.method, serve]]))
    else known.set(route.method, serve)
  }

  /** Serves the request if one of the routes is for it. */
  serve(traffic: Traffic, request: IncomingMessage): boolean {
    const serve = this.#servers.get(request.url ?? '')?.get(request.method ?? '')
    if (serve === undefined) return false
    serve(traffic.of(request), NO_IDS, NO_PARAMETERS)
    return true
  }
}
