import type { VerifierStatus } from '@rescind/verifier'
import type { Database, DatabaseKind } from '../database/database.ts'
import { openDatabase } from '../database/open-database.ts'
import type { Taken } from '../faults/fault-kinds.ts'
import type { Targets } from '../faults/strike.ts'
import type { VerifierHistory } from '../history/run-history.ts'
import { ApiClient } from '../load/api-client.ts'
import { issueFeedToken } from '../load/issue-token.ts'
import type { RunClock } from '../run-clock.ts'
import { ServiceProcess } from './service-process.ts'
import type { Decides } from './verifier-messages.ts'
import { VerifierSlot } from './verifier-slot.ts'

interface StageOptions {
  /** Empty, for data, logs and histories. */
  readonly folder: string
  readonly clock: RunClock
  readonly leaseMs: number
  readonly database: DatabaseKind
  /** That follow a service; every other one asks while it has no lease. */
  readonly verifiers: number
}

type Counters = VerifierStatus['counters']

/** Services on one database and verifiers as processes, and the operator's way into the services. */
export class Stage implements Targets {
  readonly services: readonly ServiceProcess[]
  readonly verifiers: readonly VerifierSlot[]
  readonly api: ApiClient
  /** Rejects when a process ends by itself. */
  readonly failed: Promise<never>
  readonly #database: Database

  private constructor(parts: Pick<Stage, 'services' | 'verifiers' | 'api' | 'failed'>, database: Database) {
    this.services = parts.services
    this.verifiers = parts.verifiers
    this.api = parts.api
    this.failed = parts.failed
    this.#database = database
  }

  static async open({ folder, clock, leaseMs, database: kind, verifiers: following }: StageOptions): Promise<Stage> {
    const { promise: failed, reject: onFailure } = Promise.withResolvers<never>()
    // Whoever plays on it races against this; when nobody does, it is of no interest.
    failed.catch(() => {})
    const database = await openDatabase(kind, folder)
    const services = await startServices(database, { folder, leaseMs, onFailure })
    const operatorToken = services[0]?.operatorToken ?? ''
    const api = new ApiClient(
      services.map(({ url }) => url),
      operatorToken,
      clock,
    )
    const setting = { folder, token: await issueFeedToken(api), originNs: `${clock.originNs}`, onFailure }
    const ports = services.map(({ port }) => port)
    const verifiers: VerifierSlot[] = []
    const add = async (decides: Decides, servicePorts: readonly number[]) => {
      verifiers.push(await VerifierSlot.open({ ...setting, number: verifiers.length, decides, servicePorts }))
    }
    while (verifiers.length < following) await add(verifiers.length % 2 === 0 ? 'or asks' : 'or rejects', ports)
    // Where there are several services, what each of them decides by itself is looked at, too.
    if (ports.length > 1) for (const port of ports) await add('online', [port])
    return new Stage({ services, verifiers, api, failed }, database)
  }

  get databases() {
    return this.#database.clusters
  }

  get databaseLinks() {
    return this.#database.links
  }

  /** How many there are of what faults take hold of. */
  get counts(): Readonly<Record<Taken, number>> {
    return {
      verifier: this.verifiers.length,
      link: this.verifiers.length,
      service: this.services.length,
      database: this.databases.length,
      'database link': this.databaseLinks.length,
    }
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
    await Promise.all(this.services.map((service) => service.abandon()))
    await this.#database.close()
  }
}

/** One that finds the database new, and then the others. */
async function startServices(
  { environments }: Database,
  setting: { readonly folder: string; readonly leaseMs: number; readonly onFailure: (fault: unknown) => void },
): Promise<ServiceProcess[]> {
  const services: ServiceProcess[] = []
  for (const [number, env] of environments.entries()) {
    const start = number === 0 ? ServiceProcess.start : ServiceProcess.join
    services.push(await start({ ...setting, number, env }))
  }
  return services
}
