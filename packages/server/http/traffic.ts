import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Exchange } from './exchange.ts'

interface Deps {
  readonly monotonicMs: () => number
  readonly requestId: (request: IncomingMessage) => string
  /** Called once for each exchange, when it is answered or will never be. */
  readonly onEnd: (exchange: Exchange) => void
}

/** Knows every connection and every exchange in progress, so that each is logged once and shutting down can wait. */
export class Traffic {
  #draining = false
  #cutOff = false
  #ready: (() => void)[] = []
  readonly #deps: Deps
  readonly #inProgress = new Map<IncomingMessage, Exchange>()
  /** What waits for an exchange to end. */
  readonly #behind = new WeakMap<Exchange, () => void>()
  /** With the last exchange of each, in progress or not. */
  readonly #connections = new Map<Socket, Exchange | undefined>()
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
    const exchange = new Exchange(this, {
      id: this.#deps.requestId(request),
      request,
      response,
      startedMs: this.#deps.monotonicMs(),
      admitted: !this.#draining,
    })
    this.#inProgress.set(request, exchange)
    this.#connections.set(request.socket, exchange)
    return exchange
  }

  /** The exchange that `request` opened. */
  of(request: IncomingMessage): Exchange {
    const exchange = this.#inProgress.get(request)
    if (exchange === undefined) throw new Error('the request did not come through the server, or has been answered')
    return exchange
  }

  /** Runs `next` when the exchange has ended, at once if it has. One for each exchange. */
  onceEnded(exchange: Exchange | undefined, next: () => void): void {
    if (exchange !== undefined && this.#inProgress.has(exchange.request)) this.#behind.set(exchange, next)
    else next()
  }

  /** The last exchange that a connection carried. */
  last(connection: Socket): Exchange | undefined {
    return this.#connections.get(connection)
  }

  /** Whether a connection carries an exchange in progress. */
  isBusy(connection: Socket): boolean {
    const exchange = this.#connections.get(connection)
    return exchange !== undefined && this.#inProgress.has(exchange.request)
  }

  /** Whether nothing is on its way over a connection: every request on it has been answered, to the last byte. */
  isQuiet(connection: Socket): boolean {
    const response = this.#connections.get(connection)?.response
    return response === undefined || (response.writableFinished && response.socket === null)
  }

  /**
   * Sends an answer when this turn of the event loop ends, right after those that became ready before it in the same
   * turn. An answer wakes up whoever waits for it, and waking a sleeping client costs more than serving its request
   * did: sent together, the first answer pays that for all of them.
   *
   * @param write writes the answer to its socket; must not throw
   */
  send(write: () => void): void {
    if (this.#ready.length === 0) setImmediate(() => this.#sendReady())
    this.#ready.push(write)
  }

  end(exchange: Exchange): void {
    if (!this.#inProgress.delete(exchange.request)) return
    if (exchange.response.headersSent) exchange.status ??= exchange.response.statusCode
    this.#deps.onEnd(exchange)
    const next = this.#behind.get(exchange)
    // Not from here: any number of requests may wait behind each other.
    if (next !== undefined) queueMicrotask(next)
    if (this.#draining) this.#checkIdle()
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

  /** Closes every connection, whatever it is doing. */
  cutOff(): void {
    this.#cutOff = true
    for (const socket of this.#connections.keys()) socket.destroy()
  }

  #sendReady(): void {
    const answers = this.#ready
    this.#ready = []
    for (const write of answers) write()
  }

  #checkIdle(): void {
    for (const exchange of this.#inProgress.values()) if (exchange.admitted) return
    this.#idle.resolve()
  }

  /** An answer that was on its way has ended; what is not answered goes on without a client. */
  #connectionClosed(socket: Socket): void {
    this.#connections.delete(socket)
    for (const exchange of this.#inProgress.values()) {
      if (exchange.request.socket !== socket) continue
      exchange.clientGone = !this.#cutOff
      if (exchange.response.headersSent) this.end(exchange)
    }
  }
}
