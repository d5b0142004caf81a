import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { FollowerAnswer, FollowerRequest } from './follower-request.ts'

const PROGRAM = join(import.meta.dirname, 'follower-program.ts')
const PROCESSES = 8
const ANSWER_TIMEOUT_MS = 30_000

/** Where verifiers attach. */
interface Service {
  /** Of several, the processes take one each in turn. */
  readonly port: number | readonly number[]
}

/** Processes for verifiers to be attached in: started once, idle while nothing is attached. */
export class Followers {
  readonly #processes = Array.from({ length: PROCESSES }, () => new Follower())

  /**
   * Does `work` while so many verifiers are attached, spread over the processes: up to eight are in one each.
   *
   * @param token with the scope `feed`
   * @throws Error when one of the processes ends, too
   */
  async during<T>(count: number, { port }: Service, token: string, work: () => Promise<T>): Promise<T> {
    const ports = [port].flat()
    const attach = (each: Follower, index: number) => {
      const to = ports[index % ports.length] ?? 0
      return each.ask({ type: 'attach', port: to, token, count: Math.ceil((count - index) / PROCESSES) })
    }
    try {
      await Promise.all(this.#processes.map(attach))
      const result = await Promise.race([work(), ...this.#processes.map(({ ended }) => ended)])
      await this.#askAll({ type: 'detach' })
      return result
    } catch (error) {
      // Whoever is still attached would only tell of what follows from it.
      await this.stop()
      throw error
    }
  }

  /**
   * Observes the attached verifiers during `work`; one of them verifies `token` every millisecond, if there is one.
   *
   * @returns what was observed, and the result of `work`
   */
  async observe<T>(token: string | null, work: () => Promise<T>): Promise<{ observed: FollowerAnswer; result: T }> {
    await Promise.all(
      this.#processes.map((each, index) => each.ask({ type: 'observe', token: index === 0 ? token : null })),
    )
    const result = await work()
    const answers = await this.#askAll({ type: 'observed' })
    const observed = {
      verifications: {
        tookMs: answers.flatMap(({ verifications }) => verifications.tookMs),
        lateMs: answers.flatMap(({ verifications }) => verifications.lateMs),
      },
      heartbeatsMs: answers.flatMap(({ heartbeatsMs }) => heartbeatsMs),
      applied: answers.flatMap(({ applied }) => applied),
    }
    return { observed, result }
  }

  /** Ends the processes, whatever is attached. */
  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((each) => each.stop()))
  }

  #askAll(request: FollowerRequest): Promise<FollowerAnswer[]> {
    return Promise.all(this.#processes.map((each) => each.ask(request)))
  }
}

class Follower {
  readonly #child: ChildProcess
  /** Rejects when the process ends. */
  readonly ended: Promise<never>

  constructor() {
    this.#child = fork(PROGRAM)
    this.ended = once(this.#child, 'exit').then(() => {
      throw new Error('A follower process ended')
    })
    // Whoever uses the process races against this; when nobody does, it is of no interest.
    this.ended.catch(() => {})
  }

  async ask(request: FollowerRequest): Promise<FollowerAnswer> {
    const answered = once(this.#child, 'message', { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) })
    const answer = answered.then(
      ([message]) => message as FollowerAnswer,
      (cause) => Promise.reject(new Error(`A follower process does not ${request.type}`, { cause })),
    )
    // When the process ends, nobody waits for this any more.
    answer.catch(() => {})
    if (this.#child.connected) this.#child.send(request)
    return Promise.race([answer, this.ended])
  }

  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect()
    await this.ended.catch(() => {})
  }
}
