import { type Latency, latency } from '../report/statistics.ts'

const APPLIED = /\r\nrescind-applied: *(\d+)/i
const WAITED_OUT = /\r\nrescind-waited-out: *(\d+)/i
const TIMING = /\r\nserver-timing: *commit;dur=([\d.]+), enforce;dur=([\d.]+)/i

/** What the answers to revocations say of how these came to be in force. */
export class InForceAnswers {
  readonly #attached: number
  readonly #commitMs: number[] = []
  readonly #enforceMs: number[] = []

  /** @param attached verifiers that every revocation has to be applied by */
  constructor(attached: number) {
    this.#attached = attached
  }

  /**
   * @param head of an answer
   * @param attached for this answer, when it differs
   * @throws Error when the revocation was not applied by everyone attached, or somebody was waited out
   */
  add(head: string, attached = this.#attached): void {
    const applied = APPLIED.exec(head)?.[1]
    const waitedOut = WAITED_OUT.exec(head)?.[1]
    if (applied !== `${attached}` || waitedOut !== '0') {
      throw new Error(`Of ${attached} verifiers, ${applied} had applied a revocation, ${waitedOut} were waited out`)
    }
    const timing = TIMING.exec(head)
    this.#commitMs.push(Number(timing?.[1]))
    this.#enforceMs.push(Number(timing?.[2]))
  }

  /** How long the service says it took to commit, and from then on until it was in force. */
  parts(): { readonly commit: Latency; readonly enforce: Latency } {
    return { commit: latency(this.#commitMs), enforce: latency(this.#enforceMs) }
  }
}
