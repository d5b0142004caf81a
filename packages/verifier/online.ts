import type { Undecided } from './core/index.ts'
import type { Deciding, DecidingListener } from './deciding.ts'
import type { Environment } from './environment.ts'
import type { Service } from './service.ts'

interface Deps {
  readonly service: Pick<Service, 'examine'>
  readonly timers: Environment['timers']
  readonly on: DecidingListener
}

const PAUSE_MS = 250

/** Decides nothing alone. Starting is over when the service has answered. */
export class Online implements Deciding {
  readonly #deps: Deps
  #isClosed = false
  #cancelRetry = (): void => {}
  readonly issuer = undefined
  readonly leaseMs = null
  readonly leaseLeftMs = 0
  readonly isConnected = false
  readonly position = null
  readonly lag = 0
  readonly connections = 0

  constructor(deps: Deps) {
    this.#deps = deps
  }

  start(): void {
    void this.#examine()
  }

  verify(): Undecided {
    return { status: 'undecided' }
  }

  reconnect(): void {}

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancelRetry()
  }

  async #examine(): Promise<void> {
    const { service, timers, on } = this.#deps
    const error = await service.examine()
    if (this.#isClosed) return
    if (error === undefined) return on.ready()
    on.trouble(error)
    this.#cancelRetry = timers.after(PAUSE_MS, () => this.start())
  }
}
