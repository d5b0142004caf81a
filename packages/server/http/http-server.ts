import { createServer, type IncomingMessage, type RequestListener, type Server, ServerResponse } from 'node:http'
import type { Exchange } from './exchange.ts'
import type { Limits } from './limits.ts'
import { SYSTEM_PATHS } from './system-routes.ts'
import type { Traffic } from './traffic.ts'

/** What serves requests whose connection is to speak another protocol. */
interface Upgrades {
  /** Other requests are served as if they had not asked (RFC 9110 section 7.8). */
  leadsIn(request: IncomingMessage): boolean
  /** @param head the first bytes after the request */
  upgrade(exchange: Exchange, head: Buffer): void
}

interface Deps {
  readonly limits: Limits
  readonly traffic: Traffic
  readonly upgrades: Upgrades
}

/**
 * The Node server under Fastify: limits on what a connection may do, an exchange opened for every request, and what
 * comes while the service shuts down refused.
 */
export function createHttpServer({ limits, traffic, upgrades }: Deps, listener: RequestListener): Server {
  const options = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: limits.timeoutCheckMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    // Node's own answer to a missing Host has no body; the check is below.
    requireHostHeader: false,
    // A connection that still owes answers has to stay what it is.
    shouldUpgradeCallback: (request: IncomingMessage) => traffic.isQuiet(request.socket) && upgrades.leadsIn(request),
  }
  const server = createServer(options, serve)
  // An expectation other than 100-continue may be ignored (RFC 9110 section 10.1.1).
  server.on('checkExpectation', serve)
  server.on('upgrade', (request, _socket, head) => {
    const exchange = traffic.begin(request, responseTo(request))
    if (!isRefusedAtOnce(exchange)) upgrades.upgrade(exchange, head)
  })
  // A connection stands still because nothing is asked of it, or because its client does not read. While a request waits
  // to be decided, nothing is wrong with it.
  server.setTimeout(limits.stalledAnswerMs, (socket) => {
    if (socket.writableLength > 0 || !traffic.isBusy(socket)) socket.destroy()
  })
  traffic.watch(server)
  return server

  function serve(...[request, response]: Parameters<RequestListener>): void {
    const before = traffic.last(request.socket)
    const exchange = traffic.begin(request, response)
    // What one request changes, the next one on its connection must find changed (RFC 9112 section 9.3.2).
    if (!isRefusedAtOnce(exchange)) traffic.onceEnded(before, () => listener(request, response))
  }
}

function isRefusedAtOnce(exchange: Exchange): boolean {
  const { headers, httpVersionMinor, url } = exchange.request
  if (headers.host === undefined && httpVersionMinor === 1) exchange.refuse('bad_request')
  else if (!exchange.admitted && !asksForLife(url)) exchange.refuse('draining')
  return exchange.answered
}

/** The response that Node makes for every request but one that is to be upgraded. It is the last on its connection. */
function responseTo(request: IncomingMessage): ServerResponse {
  const { socket } = request
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket)
  response.on('finish', () => socket.destroySoon())
  // What went wrong is followed by `close`.
  socket.on('error', () => {})
  return response
}

/** A service that shuts down is alive: it ends by itself and need not be killed. */
function asksForLife(url = ''): boolean {
  return url.split('?', 1)[0] === SYSTEM_PATHS.live
}
