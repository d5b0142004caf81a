import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Condition } from './one-way.ts'
import { type Conditions, ProxiedConnection } from './proxied-connection.ts'
import { resetSocket } from './reset-socket.ts'

const HOST = '127.0.0.1'

/** The way to a service on this machine, which fails like a network when it is told to. Knows nothing of what passes. */
export class TcpProxy {
  readonly #server: Server
  readonly #target: () => number
  readonly #connections = new Set<ProxiedConnection>()
  readonly #conditions: Conditions = { up: { ...SOUND }, down: { ...SOUND } }
  #refuses = false
  /** Connections that were accepted so far. */
  accepted = 0

  private constructor(target: () => number) {
    this.#target = target
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => this.#accept(near))
  }

  /**
   * Leads to a port of this machine, whether or not anybody listens there yet.
   *
   * @param target a function is asked for the port whenever somebody connects
   */
  static async open(target: number | (() => number)): Promise<TcpProxy> {
    const proxy = new TcpProxy(typeof target === 'number' ? () => target : target)
    await once(proxy.#server.listen(0, HOST), 'listening')
    return proxy
  }

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('The proxy does not listen')
    return address.port
  }

  get connections(): number {
    return this.#connections.size
  }

  /** Whatever passes arrives this much later, one way each. */
  delay(delayMs: number): void {
    this.#impair({ delayMs }, { delayMs })
  }

  /**
   * Nothing passes one way or both, and nobody is told: connections stay, new ones are accepted, and the news that an
   * end closed is withheld.
   *
   * @param passage `hold` keeps what is sent until {@link heal}; after `lose` a connection that lost something is reset then
   */
  silence(direction: 'up' | 'down' | 'both', passage: 'hold' | 'lose'): void {
    this.#impair(direction === 'down' ? {} : { passage }, direction === 'up' ? {} : { passage })
  }

  /** Resets every connection, and every new one until {@link heal}. */
  refuse(): void {
    this.#refuses = true
    this.cut()
  }

  /** Resets every connection. */
  cut(): void {
    for (const connection of this.#connections) connection.reset()
  }

  /** Ends every connection in the middle of what it carries next. Resolves when the last of them has ended. */
  async cutMidway(): Promise<void> {
    const connections = [...this.#connections]
    for (const connection of connections) connection.cutMidway()
    await Promise.all(connections.map(({ closed }) => closed))
  }

  /** Everything passes again. What was held arrives now. */
  heal(): void {
    this.#refuses = false
    this.#impair(SOUND, SOUND)
    for (const connection of this.#connections) connection.resume()
  }

  async close(): Promise<void> {
    this.refuse()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #impair(up: Partial<Condition>, down: Partial<Condition>): void {
    Object.assign(this.#conditions.up, up)
    Object.assign(this.#conditions.down, down)
  }

  #accept(near: Socket): void {
    if (this.#refuses) {
      resetSocket(near.on('error', () => {}))
      return
    }
    this.accepted += 1
    const far = connect({ port: this.#target(), host: HOST, allowHalfOpen: true, noDelay: true })
    const connection = new ProxiedConnection(near, far, this.#conditions)
    this.#connections.add(connection)
    connection.closed.then(() => this.#connections.delete(connection))
  }
}

const SOUND: Condition = { delayMs: 0, passage: 'open' }
