import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Exchange } from './exchange.ts'
import { Outbox } from './outbox.ts'

interface Deps {
  readonly monotonicMs: () => number
  readonly requestId: (request: IncomingMessage) => string
  /** Called once for each exchange, when it is answered or will never be. */
  readonly onEnd: (exchange: Exchange) => void
}

/** Knows every connection and every exchange in progress, so that each is logged once and shutting down can wait. */
export class Traffic {
  /** Through which every answer leaves. */
  readonly outbox = new Outbox(setImmediate)
  #draining = false
  readonly #deps: Deps
  readonly #exchanges = new Map<IncomingMessage, Exchange>()
  /** With the last response of each. */
  readonly #connections = new Map<Socket, ServerResponse | undefined>()
  readonly #idle = Promise.withResolvers<void>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  watch(server: Server): void {
    server.on('connection', (socket) => {
      this.#connections.set(socket, undefined)
      socket.on('close', () => this.#connectionClosed(socket))
    })
  }

  begin(request: IncomingMessage, response: ServerResponse): Exchange {
    const exchange: Exchange = {
      id: this.#deps.requestId(request),
      request,
      response,
      startedMs: this.#deps.monotonicMs(),
      admitted: !this.#draining,
    }
    this.#exchanges.set(request, exchange)
    this.#connections.set(request.socket, response)
    return exchange
  }

  /** The exchange that `request` opened. */
  of(request: IncomingMessage): Exchange {
    const exchange = this.#exchanges.get(request)
    if (exchange === undefined) throw new Error('the request did not come through the server, or has been answered')
    return exchange
  }

  /** The last exchange in progress on a connection. */
  on(connection: Socket): Exchange | undefined {
    return [...this.#exchanges.values()].findLast((exchange) => exchange.request.socket === connection)
  }

  end(exchange: Exchange): void {
    if (!this.#exchanges.delete(exchange.request)) return
    if (exchange.response.headersSent) exchange.status ??= exchange.response.statusCode
    this.#deps.onEnd(exchange)
    if (this.#draining) this.#checkIdle()
  }

  /** The response to the last request that a connection carried. */
  lastResponse(connection: Socket): ServerResponse | undefined {
    return this.#connections.get(connection)
  }

  get draining(): boolean {
    return this.#draining
  }

  /** From now on nothing is admitted. Resolves when everything admitted before has ended. */
  drain(): Promise<void> {
    this.#draining = true
    this.#checkIdle()
    return this.#idle.promise
  }

  /** Closes connections that never carried a byte, which the server would otherwise wait for. */
  closeUnused(): void {
    for (const socket of this.#connections.keys()) {
      if (socket.bytesRead === 0) socket.destroy()
    }
  }

  #checkIdle(): void {
    for (const exchange of this.#exchanges.values()) if (exchange.admitted) return
    this.#idle.resolve()
  }

  /** What was answered has ended; what was not goes on without a client. */
  #connectionClosed(socket: Socket): void {
    this.#connections.delete(socket)
    for (const exchange of this.#exchanges.values()) {
      if (exchange.request.socket !== socket) continue
      exchange.clientGone = exchange.refusal !== 'request_timeout'
      if (exchange.status !== undefined || exchange.response.headersSent) this.end(exchange)
    }
  }
}
