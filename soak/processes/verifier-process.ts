import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { compileCache } from './compile-cache.ts'
import { endWithThis } from './end-with-this.ts'
import type { VerifierOrder, VerifierReport } from './verifier-messages.ts'

const PROGRAM = join(import.meta.dirname, 'verifier-program.ts')

type Progress = Extract<VerifierReport, { type: 'progress' }>

const NOTHING: Progress = {
  type: 'progress',
  verifications: 0,
  counters: { valid: 0, rejected: 0, undecided: 0, asked: 0, connections: 0, lapses: 0 },
}

/** One process with a verifier in it. It ends with this one, even while it is stopped. */
export class VerifierProcess {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  readonly #swept = Promise.withResolvers<void>()
  #isToEnd = false
  /** What it told last. */
  progress = NOTHING
  /** Rejects when the process ends without having been told to. */
  readonly failed: Promise<never>

  /** @param folder of the run */
  constructor(folder: string) {
    const child = fork(PROGRAM, { env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: compileCache(folder) } })
    endWithThis(child)
    this.#child = child
    this.#exited = once(child, 'exit')
    const { promise, reject } = Promise.withResolvers<never>()
    this.failed = promise
    // Whoever runs the process races against this; when nobody does, it is of no interest.
    promise.catch(() => {})
    child.once('exit', (code, signal) => {
      if (!this.#isToEnd) reject(new Error(`A verifier process ended by itself, with ${code ?? signal}`))
    })
    child.on('message', (report: VerifierReport) => {
      if (report.type === 'progress') this.progress = report
      else this.#swept.resolve()
    })
  }

  tell(order: VerifierOrder): void {
    // One that is killed is told nothing any more.
    if (this.#child.connected) this.#child.send(order, () => {})
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal)
  }

  async kill(): Promise<void> {
    this.#isToEnd = true
    this.#child.kill('SIGKILL')
    await this.#exited
  }

  /** Resolves when it has decided about every token. */
  async sweep(): Promise<void> {
    this.tell({ type: 'sweep' })
    await Promise.race([this.#swept.promise, this.failed])
  }

  /** Resolves when everything it recorded is kept, and it has ended. */
  async finish(): Promise<void> {
    this.#isToEnd = true
    this.tell({ type: 'finish' })
    await this.#exited
  }
}
