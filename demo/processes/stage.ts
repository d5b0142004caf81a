import { machineMs } from '../machine-ms.ts'
import type { DemoEvent } from '../model/demo-event.ts'
import { ChildProcesses } from './child-processes.ts'
import { type IssuedToken, ServiceClient } from './service-client.ts'
import { type ServiceProcess, startService } from './service-process.ts'
import { VerifierProcess } from './verifier-process.ts'

interface StageOptions {
  readonly verifiers: number
  readonly leaseSeconds: number
  readonly tell: (event: DemoEvent) => void
}

/** A service and verifier processes, and what can be done to them once it has started. Tells of all that takes place. */
export class Stage {
  readonly #processes = new ChildProcesses()
  readonly #options: StageOptions
  readonly #verifiers: readonly VerifierProcess[]
  #service: ServiceProcess | undefined
  #client: ServiceClient | undefined
  #current: IssuedToken | undefined
  #issued = 0

  constructor(options: StageOptions) {
    this.#options = options
    // They load their programs while the service starts.
    this.#verifiers = Array.from(
      { length: options.verifiers },
      (_, index) =>
        new VerifierProcess(this.#processes, (report) =>
          options.tell({ type: 'reported', verifier: index + 1, report }),
        ),
    )
  }

  /** Rejects when a process ends although nobody asked it to. */
  get oneEnded(): Promise<never> {
    return this.#processes.oneEnded
  }

  /** Resolves when every verifier may decide and has a token to verify. */
  async start(): Promise<void> {
    this.#service = await startService(this.#processes, this.#options.leaseSeconds)
    const { url } = this.#service
    this.#client = new ServiceClient(this.#service)
    const { token } = await this.#client.issueFeedToken()
    await Promise.all(this.#verifiers.map((verifier) => verifier.attach(url, token)))
    this.#options.tell({ type: 'started' })
    await this.issue()
  }

  /** Issues a token and gives it to the verifiers. */
  async issue(): Promise<void> {
    if (this.#client === undefined) return
    const issued = await this.#client.issueToken()
    this.#current = issued
    this.#issued += 1
    this.#options.tell({ type: 'issued', token: this.#issued })
    for (const verifier of this.#verifiers) verifier.verify(this.#issued, issued.token)
  }

  /** Revokes the token that was issued last. Resolves with the 201. */
  async revoke(): Promise<void> {
    if (this.#client === undefined || this.#current === undefined) return
    const { tell } = this.#options
    const token = this.#issued
    const { id } = this.#current
    tell({ type: 'revoking', token, atMs: machineMs() })
    const { answeredMs, answer } = await this.#client.revoke(id)
    tell({ type: 'answered', token, atMs: answeredMs, answer })
  }

  /** Stops a process in the middle of whatever it does, with SIGSTOP. */
  freeze(process: number | 'service'): void {
    this.#child(process)?.kill('SIGSTOP')
    this.#options.tell({ type: 'frozen', process, atMs: machineMs() })
  }

  /** Lets it go on, with SIGCONT. */
  wake(process: number | 'service'): void {
    this.#options.tell({ type: 'woken', process, atMs: machineMs() })
    this.#child(process)?.kill('SIGCONT')
  }

  /** Ends all processes. Resolves when nothing of them is left. */
  end(): Promise<void> {
    return this.#processes.end()
  }

  #child(process: number | 'service') {
    return process === 'service' ? this.#service?.child : this.#verifiers[process - 1]?.child
  }
}
