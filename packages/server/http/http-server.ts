import { createServer, type RequestListener, type Server } from 'node:http'
import type { Limits } from './limits.ts'
import { SYSTEM_PATHS } from './system-routes.ts'
import type { Traffic } from './traffic.ts'

/**
 * The Node server under Fastify: limits on what a connection may do, an exchange opened for every request, and what
 * comes while the service shuts down refused.
 */
export function createHttpServer(limits: Limits, traffic: Traffic, listener: RequestListener): Server {
  const options = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: limits.timeoutCheckMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    // Node's own answer to a missing Host has no body; the check is below.
    requireHostHeader: false,
  }
  const server = createServer(options, serve)
  // An expectation other than 100-continue may be ignored (RFC 9110 section 10.1.1).
  server.on('checkExpectation', serve)
  // A connection stands still because nothing is asked of it, or because its client does not read. While a request waits
  // to be decided, nothing is wrong with it.
  server.setTimeout(limits.stalledAnswerMs, (socket) => {
    if (socket.writableLength > 0 || !traffic.isBusy(socket)) socket.destroy()
  })
  traffic.watch(server)
  return server

  function serve(...[request, response]: Parameters<RequestListener>): void {
    const exchange = traffic.begin(request, response)
    if (request.headers.host === undefined && request.httpVersionMinor === 1) exchange.refuse('bad_request')
    else if (!exchange.admitted && !asksForLife(request.url)) exchange.refuse('draining')
    else listener(request, response)
  }
}

/** A service that shuts down is alive: it ends by itself and need not be killed. */
function asksForLife(url = ''): boolean {
  return url.split('?', 1)[0] === SYSTEM_PATHS.live
}
