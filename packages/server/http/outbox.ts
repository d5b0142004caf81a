/** How an {@link Outbox} reaches the end of the turn. */
type Schedule = (send: () => void) => void

/**
 * Gathers the answers that become ready in one turn of the event loop and sends them one right after the other. An
 * answer wakes up whoever waits for it, and waking a sleeping process costs more than serving the request did: sent
 * together, the first answer pays that for all of them.
 */
export class Outbox {
  readonly #schedule: Schedule
  #answers: (() => void)[] = []

  constructor(schedule: Schedule) {
    this.#schedule = schedule
  }

  /** @param send writes one answer to its socket; must not throw */
  add(send: () => void): void {
    if (this.#answers.length === 0) this.#schedule(() => this.#sendAll())
    this.#answers.push(send)
  }

  #sendAll(): void {
    const answers = this.#answers
    this.#answers = []
    for (const send of answers) send()
  }
}
