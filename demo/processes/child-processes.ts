import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * The processes of the demo, and the temporary folder they write to. Neither outlives this process, unless that is killed
 * with SIGKILL.
 */
export class ChildProcesses {
  readonly folder = mkdtempSync(join(tmpdir(), 'rescind-demo-'))
  /** Rejects when one of them ends although nobody asked it to. */
  readonly oneEnded: Promise<never>
  readonly #children = new Map<ChildProcess, Promise<unknown>>()
  readonly #log = join(this.folder, 'log')
  #onUnexpected: (fault: Error) => void = () => {}
  #isEnding = false

  constructor() {
    this.oneEnded = new Promise((_, reject) => {
      this.#onUnexpected = reject
    })
    // Whoever waits for something else meanwhile races against this.
    this.oneEnded.catch(() => {})
    process.once('exit', this.#endAtOnce)
  }

  /** Starts a program of this project that is spoken to with messages. */
  fork(program: string): ChildProcess {
    return this.#start((log) =>
      fork(program, { ...this.#options(), execArgv: [], stdio: ['ignore', 'ignore', log, 'ipc'] }),
    )
  }

  /** Starts Node with these arguments; its standard output is a pipe. */
  node(args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
    return this.#start((log) =>
      spawn(process.execPath, args, { ...this.#options(env), stdio: ['ignore', 'pipe', log] }),
    )
  }

  /** Kills them: what they wrote is thrown away, and nobody has to be told. Resolves when nothing is left. */
  async end(): Promise<void> {
    this.#isEnding = true
    for (const child of this.#children.keys()) child.kill('SIGKILL')
    await Promise.all(this.#children.values())
    await rm(this.folder, { recursive: true, force: true })
    process.off('exit', this.#endAtOnce)
  }

  /** Each has a session of its own: what the terminal sends at Ctrl-C, or when it goes, is for this process alone. */
  #options(env: Readonly<Record<string, string>> = {}) {
    return { detached: true, env: { PATH: process.env.PATH, ...env } }
  }

  #start(start: (log: number) => ChildProcess): ChildProcess {
    const log = openSync(this.#log, 'a')
    const child = start(log)
    closeSync(log)
    const exited = once(child, 'exit')
    exited.then(
      ([code, signal]) => this.#ended(`A process ended by itself, with ${signal ?? code}`),
      (cause) => this.#ended(`A process did not start: ${cause}`),
    )
    this.#children.set(
      child,
      exited.catch(() => {}),
    )
    return child
  }

  #ended(how: string): void {
    if (!this.#isEnding) this.#onUnexpected(new Error(`${how}. ${readFileSync(this.#log, 'utf8').slice(-2000)}`.trim()))
  }

  readonly #endAtOnce = (): void => {
    this.#isEnding = true
    for (const child of this.#children.keys()) child.kill('SIGKILL')
    // Those that are being killed may write something yet.
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 25 })
  }
}
