import type { Timers } from '@rescind/protocol'
import { Client, type ClientConfig } from 'pg'

interface ListenerDeps {
  readonly config: () => ClientConfig
  readonly channel: string
  readonly timers: Timers
  /** There may be more in the log. */
  readonly wake: () => void
  readonly onTrouble: (error: unknown) => void
}

/** Between two signs of life asked of a connection on which nothing else is ever sent. */
const HEARTBEAT_MS = 10_000
const RECONNECT_MS = 1_000

/**
 * One connection that is told of new entries. What it is told is a hint, and may be lost: after each connection is made
 * and listens, the log is looked at, and it is polled all the while.
 */
export class Listener {
  readonly #deps: ListenerDeps
  #client: Client | undefined
  #cancelTimer = (): void => {}
  #isOver = false

  constructor(deps: ListenerDeps) {
    this.#deps = deps
    this.#connect()
  }

  async stop(): Promise<void> {
    this.#isOver = true
    this.#cancelTimer()
    await this.#client?.end().catch(() => {})
  }

  async #connect(): Promise<void> {
    const { config, channel, wake } = this.#deps
    const client = new Client(config())
    this.#client = client
    client.on('error', (error) => this.#lost(client, error))
    client.on('end', () => this.#lost(client, new Error('The connection for notifications has ended.')))
    client.on('notification', wake)
    try {
      await client.connect()
      await client.query(`LISTEN "${channel}"`)
      wake()
      this.#beat(client)
    } catch (error) {
      this.#lost(client, error)
    }
  }

  #beat(client: Client): void {
    if (this.#client !== client) return
    this.#cancelTimer = this.#deps.timers.after(HEARTBEAT_MS, () => {
      client.query('SELECT 1').then(
        () => this.#beat(client),
        (error: unknown) => this.#lost(client, error),
      )
    })
  }

  #lost(client: Client, error: unknown): void {
    if (this.#client !== client || this.#isOver) return
    this.#client = undefined
    this.#cancelTimer()
    client.end().catch(() => {})
    this.#deps.onTrouble(error)
    this.#cancelTimer = this.#deps.timers.after(RECONNECT_MS, () => this.#connect())
  }
}
