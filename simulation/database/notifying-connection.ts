import type { NotifyingClient } from '../../packages/server/storage/postgres/notifications.ts'
import type { SimulatedProcess } from '../process.ts'
import type { Random } from '../random.ts'
import type { Scheduler } from '../scheduler.ts'
import type { DatabaseBehaviour, DatabaseFault } from './database-faults.ts'
import type { RemoteLink } from './database-link.ts'
import type { Server } from './server.ts'

interface Deps {
  readonly scheduler: Scheduler
  readonly random: Random
  readonly behaviour: () => DatabaseBehaviour
  readonly struck: (fault: DatabaseFault, processId: string) => void
  readonly link: RemoteLink
  /** To which connections are made now. */
  readonly server: () => Server
}

/** Most time until a process finds that its connection broke. */
const NOTICED_MS = 500
/** Whoever asks for the number of its own connection is given this one. */
const OWN_ID = 1
const OTHER_ID = 2

/**
 * A connection on which a process is told of what others did. What is told arrives, unless the connection breaks: then
 * it is lost, and with it all that is told until another connection listens. Servers tell by themselves, as if whoever
 * did something never failed to.
 */
export class NotifyingConnection implements NotifyingClient {
  readonly #deps: Deps
  readonly #process: SimulatedProcess
  readonly #channels = new Set<string>()
  #server: Server | undefined
  #isOver = false
  #ended: (error: Error) => void = () => {}
  #notified: (message: { channel: string; processId: number }) => void = () => {}

  constructor(deps: Deps, process: SimulatedProcess) {
    this.#deps = deps
    this.#process = process
    process.onEnd(() => this.end())
  }

  on(event: 'error' | 'end', heard: (error: Error) => void): void
  on(event: 'notification', heard: (message: { channel: string; processId: number }) => void): void
  on(event: string, heard: ((error: Error) => void) & ((message: { channel: string; processId: number }) => void)) {
    if (event === 'notification') this.#notified = heard
    if (event === 'end') this.#ended = heard
  }

  async connect(): Promise<void> {
    this.#server = await this.#ask(this.#deps.server(), (server) => server)
  }

  async query(text: string): Promise<{ readonly rows: readonly { readonly id: number }[] }> {
    const [command, channel] = /^(LISTEN|NOTIFY) "(.+)"$/.exec(text)?.slice(1) ?? []
    if (command === 'NOTIFY') return { rows: [] }
    if (this.#server === undefined || this.#isOver) throw new Error('The connection is closed.')
    await this.#ask(this.#server, (server) => {
      if (channel === undefined || this.#isOver) return
      this.#channels.add(channel)
      server.listening.add(this)
    })
    return { rows: [{ id: OWN_ID }] }
  }

  async end(): Promise<void> {
    this.#isOver = true
    this.#server?.listening.delete(this)
  }

  notify(topic: string, processId: string): void {
    const channel = [...this.#channels].find((each) => each.includes(`_${topic}_`))
    if (channel === undefined || processId === this.#process.id) return
    const { link, random, behaviour } = this.#deps
    const breaks = random.chance(behaviour().notificationLossChance)
    if (breaks || !link.notify(() => this.#isOver || this.#notified({ channel, processId: OTHER_ID }))) this.break()
  }

  break(): void {
    if (this.#isOver) return
    this.end()
    const { link, scheduler, random, struck } = this.#deps
    struck('db_notifications_lost', this.#process.id)
    const ended = () => this.#ended(new Error('The connection has ended.'))
    link.deliverAt(scheduler.nowMs + random.between(0, NOTICED_MS), ended)
  }

  #ask<T>(server: Server, step: (server: Server) => T): Promise<T> {
    return this.#deps.link.ask((answer) => server.read(this.#process.id, step, answer))
  }
}
