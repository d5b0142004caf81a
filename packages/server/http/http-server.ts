import { createServer, type RequestListener, type Server } from 'node:http'
import type { Limits } from './limits.ts'
import { refuse } from './respond.ts'
import type { Traffic } from './traffic.ts'

/** The Node server under Fastify: limits on what a connection may do, and an exchange opened for every request. */
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
  traffic.watch(server)
  return server

  function serve(...[request, response]: Parameters<RequestListener>): void {
    const exchange = traffic.begin(request, response)
    if (request.headers.host === undefined && request.httpVersionMinor === 1) refuse(traffic, exchange, 'bad_request')
    else listener(request, response)
  }
}
