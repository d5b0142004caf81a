import type { VerifierStatus } from '@rescind/verifier'
import type { VerifierHistory } from '../history/run-history.ts'
import { ApiClient } from '../load/api-client.ts'
import { issueFeedToken } from '../load/issue-token.ts'
import type { RunClock } from '../run-clock.ts'
import { ServiceProcess } from './service-process.ts'
import { VerifierSlot } from './verifier-slot.ts'

interface StageOptions {
  /** Empty, for data, logs and histories. */
  readonly folder: string
  readonly clock: RunClock
  readonly leaseMs: number
  /** Every other one asks the service while it has no lease. */
  readonly verifiers: number
}

type Counters = VerifierStatus['counters']

/** A service and verifiers as processes, and the operator's way into the service. */
export class Stage {
  readonly services: readonly ServiceProcess[]
  readonly verifiers: readonly VerifierSlot[]
  readonly api: ApiClient
  /** Rejects when a process ends by itself. */
  readonly failed: Promise<never>

  private constructor(parts: Pick<Stage, 'services' | 'verifiers' | 'api' | 'failed'>) {
    this.services = parts.services
    this.verifiers = parts.verifiers
    this.api = parts.api
    this.failed = parts.failed
  }

  static async open({ folder, clock, leaseMs, verifiers: count }: StageOptions): Promise<Stage> {
    const { promise: failed, reject: onFailure } = Promise.withResolvers<never>()
    // Whoever plays on it races against this; when nobody does, it is of no interest.
    failed.catch(() => {})
    const service = await ServiceProcess.start({ folder, leaseMs, onFailure })
    const api = new ApiClient(`http://127.0.0.1:${service.port}`, service.operatorToken, clock)
    const setting = { folder, token: await issueFeedToken(api), originNs: `${clock.originNs}`, onFailure }
    const verifiers: VerifierSlot[] = []
    for (let number = 0; number < count; number += 1) {
      const onLapse = number % 2 === 0 ? 'ask' : 'reject'
      verifiers.push(await VerifierSlot.open({ ...setting, number, onLapse, servicePort: service.port }))
    }
    return new Stage({ services: [service], verifiers, api, failed })
  }

  /** Of all processes so far. */
  sum(read: (counters: Counters) => number): number {
    const processes = this.verifiers.flatMap((verifier) => verifier.processes)
    return processes.reduce((sum, { progress }) => sum + read(progress.counters), 0)
  }

  /** Has every verifier decide about every token. */
  async sweep(): Promise<void> {
    await Promise.all(this.verifiers.map(({ process }) => process.sweep()))
  }

  /** Ends everything in order. */
  async finish(): Promise<VerifierHistory[]> {
    await Promise.all(this.verifiers.map((verifier) => verifier.finish()))
    await Promise.all(this.services.map((service) => service.stop()))
    return this.verifiers.flatMap((verifier) => verifier.histories())
  }

  /** Ends whatever is left. */
  async close(): Promise<void> {
    this.api.close()
    await Promise.all(this.verifiers.map((verifier) => verifier.abandon()))
    await Promise.all(this.services.map((service) => service.kill()))
  }
}
