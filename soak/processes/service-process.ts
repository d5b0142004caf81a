import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileCache } from './compile-cache.ts'

const PROGRAM = join(import.meta.dirname, '../../packages/server/bin/rescind.js')
const LISTENING = /^Listening {2}http:\/\/127\.0\.0\.1:(\d+)$/m
const OPERATOR_TOKEN = /^Operator token {2}(\S+)$/m
const STDERR_SHOWN = 2_000

interface Setting {
  /** Holds the data and what the service logs. */
  readonly folder: string
  readonly leaseMs: number
  /** Told when the process ends by itself. */
  readonly onFailure: (fault: unknown) => void
}

/** The service in a process of its own, which can be killed and started again on the same data and port. */
export class ServiceProcess {
  readonly #setting: Setting
  #child: ChildProcess | undefined
  #port = 0
  #operatorToken = ''

  private constructor(setting: Setting) {
    this.#setting = setting
  }

  /** Starts one on new data. */
  static async start(setting: Setting): Promise<ServiceProcess> {
    const service = new ServiceProcess(setting)
    service.#operatorToken = OPERATOR_TOKEN.exec(await service.#run(OPERATOR_TOKEN))?.[1] ?? ''
    // What it has compiled is kept when it ends in order.
    await service.stop()
    await service.startAgain()
    return service
  }

  get port(): number {
    return this.#port
  }

  get operatorToken(): string {
    return this.#operatorToken
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** After {@link kill}; resolves when it listens again. */
  async startAgain(): Promise<void> {
    await this.#run(LISTENING)
  }

  /** In order. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** @returns what it printed until everything that `ready` names was there */
  async #run(ready: RegExp): Promise<string> {
    const { folder, leaseMs, onFailure } = this.#setting
    const log = join(folder, 'service.log')
    const stderr = openSync(log, 'a')
    const child = spawn(process.execPath, [PROGRAM, 'serve'], {
      env: {
        PATH: process.env.PATH,
        NODE_COMPILE_CACHE: compileCache(folder),
        RESCIND_PORT: `${this.#port}`,
        RESCIND_DATA_DIR: join(folder, 'data'),
        RESCIND_LEASE_SECONDS: `${leaseMs / 1000}`,
        RESCIND_MAX_ACTIVE_TOKENS: '1000000',
        RESCIND_LOG_LEVEL: 'warn',
      },
      stdio: ['ignore', 'pipe', stderr],
    })
    closeSync(stderr)
    this.#child = child
    const kill = () => child.kill('SIGKILL')
    process.once('exit', kill)
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    child.once('exit', (code, signal) => {
      process.off('exit', kill)
      if (this.#child !== child) return
      const said = readFileSync(log, 'utf8').slice(-STDERR_SHOWN)
      const fault = new Error(`The service ended by itself, with ${code ?? signal}: ${said}`)
      reject(fault)
      onFailure(fault)
    })
    let printed = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      printed += text
      if (LISTENING.test(printed) && ready.test(printed)) resolve(printed)
    })
    await promise
    this.#port = Number(LISTENING.exec(printed)?.[1])
    return printed
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }
}
