import { hash } from 'node:crypto'
import type { Timers } from '@rescind/protocol'

/** What a node tells the others of: that it has appended entries, or reported what is in force. */
export type Topic = 'entries' | 'reports'

const TOPICS: readonly Topic[] = ['entries', 'reports']

/** A connection of its own, as far as notifications need it. */
export interface NotifyingClient {
  on(event: 'error' | 'end', heard: (error: Error) => void): unknown
  on(event: 'notification', heard: (message: { channel: string; processId: number }) => void): unknown
  connect(): Promise<unknown>
  query(text: string): Promise<{ readonly rows: readonly { readonly id: number }[] }>
  end(): Promise<void>
}

interface NotificationsDeps {
  /** A connection that is still to be made, and keeps no process alive. */
  readonly newClient: () => NotifyingClient
  /** Nodes that use the same tables hear of each other. */
  readonly schema: string
  /** Another node has told of it, or may have without being heard. */
  readonly heard: (topic: Topic) => void
  readonly timers: Timers
  readonly onTrouble: (error: unknown) => void
}

/** Between two signs of life asked of a connection on which nothing else is ever sent. */
const HEARTBEAT_MS = 10_000
const RECONNECT_MS = 1_000

/**
 * One connection on which nodes tell each other that there is something to read. What is told carries nothing, is sent
 * outside of the transaction it is about (which it would make wait for every other one that does the same), and may be
 * lost: after each connection is made and listens everything is looked at, and it is polled all the while.
 */
export class Notifications {
  readonly #deps: NotificationsDeps
  readonly #channels: ReadonlyMap<string, Topic>
  #client: NotifyingClient | undefined
  #isListening = false
  #cancelTimer = (): void => {}
  #isOver = false

  constructor(deps: NotificationsDeps) {
    this.#deps = deps
    this.#channels = new Map(TOPICS.map((topic) => [channelOf(deps.schema, topic), topic]))
    this.#connect()
  }

  /** Tells the other nodes, if that is possible now. */
  tell(topic: Topic): void {
    if (this.#isListening) this.#client?.query(`NOTIFY "${channelOf(this.#deps.schema, topic)}"`).catch(() => {})
  }

  stop(): void {
    this.#isOver = true
    this.#cancelTimer()
    // A server that does not answer does not end it either.
    this.#client?.end().catch(() => {})
  }

  #connect(): void {
    try {
      this.#client = this.#deps.newClient()
      void this.#listen(this.#client)
    } catch (error) {
      // The files of certificates are read each time, and may be missing while they are replaced.
      this.#tryAgain(error)
    }
  }

  async #listen(client: NotifyingClient): Promise<void> {
    const { heard } = this.#deps
    let ownProcessId: number | undefined
    client.on('error', (error) => this.#lost(client, error))
    client.on('end', () => this.#lost(client, new Error('The connection for notifications has ended.')))
    client.on('notification', ({ channel, processId }) => {
      const topic = this.#channels.get(channel)
      if (topic !== undefined && processId !== ownProcessId) heard(topic)
    })
    try {
      await client.connect()
      for (const channel of this.#channels.keys()) await client.query(`LISTEN "${channel}"`)
      ownProcessId = (await client.query('SELECT pg_backend_pid() AS id')).rows[0]?.id
      this.#isListening = true
      for (const topic of TOPICS) heard(topic)
      this.#beat(client)
    } catch (error) {
      this.#lost(client, error)
    }
  }

  #beat(client: NotifyingClient): void {
    if (this.#client !== client) return
    this.#cancelTimer = this.#deps.timers.after(HEARTBEAT_MS, () => {
      client.query('SELECT 1').then(
        () => this.#beat(client),
        (error: unknown) => this.#lost(client, error),
      )
    })
  }

  #lost(client: NotifyingClient, error: unknown): void {
    if (this.#client !== client || this.#isOver) return
    this.#client = undefined
    this.#isListening = false
    this.#cancelTimer()
    client.end().catch(() => {})
    this.#tryAgain(error)
  }

  #tryAgain(error: unknown): void {
    this.#deps.onTrouble(error)
    this.#cancelTimer = this.#deps.timers.after(RECONNECT_MS, () => this.#connect())
  }
}

/** Names of channels are short. */
function channelOf(schema: string, topic: Topic): string {
  return `rescind_${topic}_${hash('sha256', schema).slice(0, 16)}`
}
