import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '../../postgres/free-port.ts'
import { compileCache } from './compile-cache.ts'
import { endWithThis } from './end-with-this.ts'

const PROGRAM = join(import.meta.dirname, '../../packages/server/bin/rescind.js')
const LISTENING = /^Listening {2}http:\/\/127\.0\.0\.1:\d+$/m
const OPERATOR_TOKEN = /^Operator token {2}(\S+)$/m
const STDERR_SHOWN = 2_000
/** How it ends when it cannot start for now, such as when its database does not answer. */
const REFUSED = 2
const START_AGAIN_MS = 100
const START_PATIENCE_MS = 60_000

interface Setting {
  /** Of the run, for what it logs. */
  readonly folder: string
  /** Which of the services of the run it is. */
  readonly number: number
  readonly leaseMs: number
  /** Says where its database is. */
  readonly env: Readonly<Record<string, string>>
  /** Told when the process ends by itself. */
  readonly onFailure: (fault: unknown) => void
}

/** It could not start for a reason that may pass. */
class StartRefused extends Error {}

/** The service in a process of its own, which can be killed and started again on the same data and port. */
export class ServiceProcess {
  readonly #setting: Setting
  /** One that no connection is given while the service is down. */
  readonly port: number
  #child: ChildProcess | undefined
  #isListening = false
  #operatorToken = ''
  #isAbandoned = false

  private constructor(setting: Setting, port: number) {
    this.#setting = setting
    this.port = port
  }

  /** Starts one on a new database. */
  static async start(setting: Setting): Promise<ServiceProcess> {
    const service = new ServiceProcess(setting, await freePort())
    service.#operatorToken = OPERATOR_TOKEN.exec(await service.#run(OPERATOR_TOKEN))?.[1] ?? ''
    // What it has compiled is kept when it ends in order.
    await service.stop()
    await service.startAgain()
    return service
  }

  /** Starts another one on the database of the first. */
  static async join(setting: Setting): Promise<ServiceProcess> {
    const service = new ServiceProcess(setting, await freePort())
    await service.startAgain()
    return service
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Of the one that was started on a new database. */
  get operatorToken(): string {
    return this.#operatorToken
  }

  get isListening(): boolean {
    return this.#isListening
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal)
  }

  /** After {@link kill}; resolves when it listens again. While it cannot start, it is started again and again. */
  async startAgain(): Promise<void> {
    const giveUpMs = performance.now() + START_PATIENCE_MS
    while (!this.#isAbandoned) {
      const refused = await this.#run(LISTENING).then(
        () => undefined,
        (fault: unknown) => fault,
      )
      if (refused === undefined) return
      if (!(refused instanceof StartRefused) || performance.now() > giveUpMs) throw refused
      await pause(START_AGAIN_MS)
    }
  }

  /** Ends it, and starts it no more. */
  async abandon(): Promise<void> {
    this.#isAbandoned = true
    await this.kill()
  }

  /** In order. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** @returns what it printed until everything that `ready` names was there */
  async #run(ready: RegExp): Promise<string> {
    const { folder, number, leaseMs, env, onFailure } = this.#setting
    const log = join(folder, `service-${number}.log`)
    const stderr = openSync(log, 'a')
    const child = spawn(process.execPath, [PROGRAM, 'serve'], {
      env: {
        PATH: process.env.PATH,
        NODE_COMPILE_CACHE: compileCache(folder),
        ...env,
        RESCIND_PORT: `${this.port}`,
        RESCIND_LEASE_SECONDS: `${leaseMs / 1000}`,
        RESCIND_MAX_ACTIVE_TOKENS: '1000000',
        RESCIND_LOG_LEVEL: 'warn',
      },
      stdio: ['ignore', 'pipe', stderr],
    })
    closeSync(stderr)
    this.#child = child
    endWithThis(child)
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    let printed = ''
    child.once('exit', (code, signal) => {
      if (this.#child !== child) return reject(new Error('The service was ended before it listened'))
      const said = readFileSync(log, 'utf8').slice(-STDERR_SHOWN)
      const fault = `The service ended by itself, with ${code ?? signal}: ${said}`
      if (code === REFUSED && !ready.test(printed)) return reject(new StartRefused(fault))
      reject(new Error(fault))
      onFailure(new Error(fault))
    })
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      printed += text
      if (!LISTENING.test(printed) || !ready.test(printed)) return
      this.#isListening = this.#child === child
      resolve(printed)
    })
    return promise
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    this.#child = undefined
    this.#isListening = false
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }
}
