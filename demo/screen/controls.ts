import { setTimeout as pause } from 'node:timers/promises'
import type { DemoModel } from '../model/demo-model.ts'
import type { Stage } from '../processes/stage.ts'

/** How long a dead token is shown before there is another one. */
const DEAD_SHOWN_MS = 3_000

/** The verifier that is frozen first; then it is the turn of the next. */
const FIRST_FROZEN = 3

/** What the keys do. One that has no meaning at the moment does nothing. */
export class Controls {
  /** Resolves when it is enough, rejects when something failed. */
  readonly finished: Promise<void>
  readonly #stage: Pick<Stage, 'revoke' | 'issue' | 'freeze' | 'wake'>
  readonly #model: DemoModel
  #finish: () => void = () => {}
  #fail: (fault: unknown) => void = () => {}
  #isRevoking = false
  #frozenNext = FIRST_FROZEN

  constructor(stage: Pick<Stage, 'revoke' | 'issue' | 'freeze' | 'wake'>, model: DemoModel) {
    this.#stage = stage
    this.#model = model
    this.finished = new Promise((resolve, reject) => {
      this.#finish = resolve
      this.#fail = reject
    })
  }

  /** @param key its name */
  press(key: string): void {
    if (key === 'q') this.#finish()
    if (this.#model.state.token === null) return
    if (key === 'r') this.#revoke().catch(this.#fail)
    if (key === 'f') this.#freezeOrWake()
    if (key === 's') this.#freezeOrWakeService()
  }

  async #revoke(): Promise<void> {
    if (this.#isRevoking || this.#model.state.serviceFrozenMs !== null) return
    this.#isRevoking = true
    await this.#stage.revoke()
    await pause(DEAD_SHOWN_MS)
    await this.#stage.issue()
    this.#isRevoking = false
  }

  #freezeOrWake(): void {
    const { verifiers } = this.#model.state
    const frozen = verifiers.find(({ frozenMs }) => frozenMs !== null)
    if (frozen === undefined) {
      this.#stage.freeze(this.#frozenNext)
      this.#frozenNext = (this.#frozenNext % verifiers.length) + 1
    } else this.#stage.wake(frozen.verifier)
  }

  /** Not during a request: whether that arrives before the service closes the connection is a matter of luck. */
  #freezeOrWakeService(): void {
    if (this.#model.state.serviceFrozenMs !== null) this.#stage.wake('service')
    else if (!this.#isRevoking) this.#stage.freeze('service')
  }
}
