import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { VerifierHistory } from '../history/run-history.ts'
import { readVerifications } from '../history/verification-file.ts'
import { TcpProxy } from '../network/tcp-proxy.ts'
import type { VerifierStart } from './verifier-messages.ts'
import { VerifierProcess } from './verifier-process.ts'

type Setting = Pick<VerifierStart, 'token' | 'decides' | 'originNs'> & {
  readonly number: number
  /** Where the histories of its processes go. */
  readonly folder: string
  /** Of the services that it may reach: each connection leads to the next one, as behind a balancer. */
  readonly servicePorts: readonly number[]
  /** Told when a process of it ends by itself. */
  readonly onFailure: (fault: unknown) => void
}

const FINISH_MS = 10_000

/** One verifier: its processes, one after the other, and its own way to the service. */
export class VerifierSlot {
  readonly #setting: Setting
  readonly #tokens: (readonly [number: number, token: string])[] = []
  readonly #files: string[] = []
  #watched: readonly number[] = []
  #process: VerifierProcess
  #ended: VerifierProcess[] = []
  readonly proxy: TcpProxy

  private constructor(setting: Setting, proxy: TcpProxy) {
    this.#setting = setting
    this.proxy = proxy
    this.#process = this.#start()
  }

  static async open(setting: Setting): Promise<VerifierSlot> {
    const { number, servicePorts } = setting
    let connections = number
    const nextPort = () => {
      connections += 1
      return servicePorts[connections % servicePorts.length] ?? 0
    }
    return new VerifierSlot(setting, await TcpProxy.open(nextPort))
  }

  get number(): number {
    return this.#setting.number
  }

  get process(): VerifierProcess {
    return this.#process
  }

  /** Of all its processes so far, in order. */
  get processes(): readonly VerifierProcess[] {
    return [...this.#ended, this.#process]
  }

  addTokens(tokens: readonly (readonly [number: number, token: string])[]): void {
    this.#tokens.push(...tokens)
    this.#process.tell({ type: 'tokens', tokens })
  }

  watch(tokens: readonly number[]): void {
    this.#watched = tokens
    this.#process.tell({ type: 'watch', tokens })
  }

  /** Kills its process and starts another one. */
  async replace(): Promise<void> {
    await this.#process.kill()
    this.#ended.push(this.#process)
    this.#process = this.#start()
  }

  /** Ends it, with everything recorded; at once, if it does not end in time. */
  async finish(): Promise<void> {
    await Promise.race([this.#process.finish(), pause(FINISH_MS, undefined, { ref: false })])
    await this.#process.kill()
    await this.proxy.close()
  }

  /** Ends it at once. */
  async abandon(): Promise<void> {
    await Promise.all([this.#process.kill(), this.proxy.close()])
  }

  histories(): VerifierHistory[] {
    const { number, decides } = this.#setting
    return this.#files.map((file, incarnation) => ({
      verifier: number,
      incarnation,
      decidesAlone: decides === 'or rejects',
      verifications: { [Symbol.iterator]: () => readVerifications(file) },
    }))
  }

  #start(): VerifierProcess {
    const { number, folder, token, decides, originNs, onFailure } = this.#setting
    const file = join(folder, `verifier-${number}-${this.#files.length}.history`)
    this.#files.push(file)
    const started = new VerifierProcess(folder)
    started.failed.catch(onFailure)
    const url = `http://127.0.0.1:${this.proxy.port}`
    started.tell({ type: 'start', url, token, decides, originNs, file })
    started.tell({ type: 'tokens', tokens: this.#tokens })
    started.tell({ type: 'watch', tokens: this.#watched })
    return started
  }
}
