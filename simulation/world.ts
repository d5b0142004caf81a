import { writeOffline } from '../packages/server/access/write-as.ts'
import { install } from '../packages/server/install.ts'
import { offlineActor } from '../packages/server/offline-actor.ts'
import { openEpoch } from '../packages/server/revocations/open-epoch.ts'
import type { Member, NewToken, Storage } from '../packages/server/storage/storage.ts'
import { Database } from './database/database.ts'
import type { DatabaseFault } from './database/database-faults.ts'
import { FAULTLESS_DATABASE } from './database/database-faults.ts'
import { LONGEST_FAULT_LEASES, lossy, type ProcessFault, pickFault, strike, type Targets } from './faults.ts'
import type { IssuedToken } from './issued-token.ts'
import { Network } from './network.ts'
import { FAULTLESS, type NetworkFault } from './network-faults.ts'
import { Observer } from './observer.ts'
import { SimulatedProcess } from './process.ts'
import { Random } from './random.ts'
import { Scheduler } from './scheduler.ts'
import { SimulatedNode } from './simulated-node.ts'
import { SimulatedVerifier } from './simulated-verifier.ts'
import { Violation } from './violation.ts'
import { Workload } from './workload.ts'

/** How one run went. */
export interface RunResult {
  readonly seed: number
  readonly steps: number
  /** Two lanes of 32 bits, hexadecimal: the same for every run of a seed. */
  readonly hash: string
  readonly answers: number
  readonly verifications: number
  readonly accepted: number
  /** How often each kind of fault struck, and how often of those while a committed revocation was waiting for its answer. */
  readonly faults: Readonly<Record<string, number>>
  readonly faultsBeforeAnswer: Readonly<Record<string, number>>
  readonly violation: Violation | undefined
}

export interface RunOptions {
  readonly minSteps: number
  readonly minAnswers: number
}

type Fault = NetworkFault | DatabaseFault | ProcessFault

/** Beyond these, a run ends whatever it has not reached. */
const MOST_STEPS_SHARE = 4
/** The rest of the steps is for the time after. */
const STORM_SHARE = 0.7

const LEASES_MS = [2_000, 3_000, 6_000]
const MEMBERS = 4
const NODES = [1, 2, 2, 3, 3, 4]
/** Strike a node or the database for a while. */
const KEEPS_NODES: ReadonlySet<Fault> = new Set([
  'node_stopped',
  'node_machine_suspended',
  'node_cut_off_database',
  'database_crashed',
  'standby_lost',
  'primary_failed_over',
  'log_replaced_by_an_older_one',
])
/** Longest pause of a verifier before it connects again. */
const RECONNECT_MS = 6_000

/** One run: nodes and verifiers that work, a time in which everything goes wrong, and a time in which all must be well again. */
export class World {
  readonly #seed: number
  readonly #options: RunOptions
  readonly #random: Random
  readonly #scheduler = new Scheduler()
  readonly #network: Network
  readonly #database: Database
  readonly #observer: Observer
  readonly #leaseMs: number
  readonly #nodes: (SimulatedNode | undefined)[]
  readonly #verifiers: (SimulatedVerifier | undefined)[]
  readonly #client: SimulatedProcess
  readonly #masterKey = new Uint8Array(32)
  readonly #faults = new Map<Fault, number>()
  readonly #faultsBeforeAnswer = new Map<Fault, number>()
  readonly #suspendable = new WeakSet<SimulatedProcess>()
  #incarnations = 0
  #stormy = false

  constructor(seed: number, options: RunOptions) {
    this.#seed = seed
    this.#options = options
    this.#random = new Random(seed)
    this.#leaseMs = this.#random.pick(LEASES_MS)
    this.#network = new Network(this.#scheduler, this.#random)
    this.#database = new Database(this.#scheduler, this.#random)
    this.#observer = new Observer(this.#scheduler, this.#database)
    this.#nodes = new Array(this.#random.pick(NODES)).fill(undefined)
    this.#verifiers = new Array(2 + this.#random.integer(3)).fill(undefined)
    this.#database.notifies = this.#random.chance(0.5)
    this.#database.onLost = (entry) => this.#observer.lost(entry)
    this.#client = new SimulatedProcess(this.#scheduler, this.#random, 'client')
    this.#network.onFault = (fault) => this.#struck(fault)
    this.#database.onFault = (fault, processId) => {
      this.#struck(fault)
      for (const node of this.#runningNodes()) {
        if (node.process.id === processId) node.trouble(this.#database.behaviour.timeoutMs * 1.5)
      }
    }
  }

  async run(): Promise<RunResult> {
    const workload = await this.#setUp()
    const { minSteps, minAnswers } = this.#options
    const hasSteps = (share: number) => this.#scheduler.steps >= minSteps * share
    const isEnough = () => hasSteps(STORM_SHARE) && this.#observer.answers >= minAnswers
    const isTooMuch = () => hasSteps(MOST_STEPS_SHARE)
    await this.#runUntil(this.#scheduler.nowMs + this.#leaseMs)
    if (this.#random.chance(0.25)) await this.#calm()
    workload.start()
    this.#storm()
    await this.#go(() => isEnough() || isTooMuch())
    workload.rest()
    await this.#calm()
    workload.stop()
    workload.verifyEverything()
    await this.#runUntil(this.#scheduler.nowMs + 500)
    await this.#go(() => hasSteps(1))
    return {
      seed: this.#seed,
      steps: this.#scheduler.steps,
      hash: this.#scheduler.hash,
      answers: this.#observer.answers,
      verifications: this.#observer.verifications,
      accepted: this.#observer.accepted,
      faults: Object.fromEntries(this.#faults),
      faultsBeforeAnswer: Object.fromEntries(this.#faultsBeforeAnswer),
      violation: this.#observer.violation,
    }
  }

  /** Runs until `done`, or something does not hold. */
  async #go(done: () => boolean): Promise<void> {
    if (this.#observer.violation !== undefined) return
    await this.#scheduler
      .run(() => {
        try {
          this.#observer.check()
        } catch {
          // Kept by the observer.
        }
        return this.#observer.violation !== undefined || done()
      })
      .catch((error: unknown) => {
        if (!(error instanceof Violation)) throw error
      })
  }

  #runUntil(atMs: number): Promise<void> {
    return this.#go(() => this.#scheduler.nowMs >= atMs)
  }

  async #setUp(): Promise<Workload> {
    const random = this.#random.fork('set-up')
    const clock = { nowMs: () => 1_700_000_000_000 }
    const storage: Storage = this.#database.direct
    const deps = {
      storage,
      clock,
      newId: () => random.uuid(7),
      newUuid: () => random.uuid(4),
      sealingKey: this.#masterKey,
    }
    const first = await install(deps, { issuer: 'https://tokens.example', tokenPrefix: 'dz_', signingAlg: 'EdDSA' })
    const members: Member[] = []
    await storage.transact(async (tx) => {
      for (let n = 0; n < MEMBERS; n++) {
        const userId = random.uuid(7)
        const member = {
          businessId: first.businessId,
          userId,
          email: `m${n}@example.com`,
          role: 'admin',
          createdAtMs: 0,
        } as const
        members.push(member)
        await tx.upsertMember(member)
      }
    })
    this.#observer.startFrom(this.#database.tables.head?.seq ?? 0)
    this.#database.onCommit = (changes) => {
      this.#observer.committed(changes)
      if (changes.entries.length > 0 && this.#stormy && this.#random.chance(0.35)) {
        this.#scheduler.after(this.#random.between(0, 8), () => this.#strike())
      }
    }
    for (const slot of this.#nodes.keys()) this.#startNode(slot)
    for (const slot of this.#verifiers.keys()) this.#startVerifier(slot)
    return new Workload({
      scheduler: this.#scheduler,
      random: this.#random.fork('workload'),
      network: this.#network,
      observer: this.#observer,
      client: this.#client,
      leaseMs: this.#leaseMs,
      businessId: first.businessId,
      members,
      owner: this.#firstToken(first.ownerToken, 0),
      operator: this.#firstToken(first.operatorToken, 1),
      nodes: () => this.#runningNodes(),
      verifiers: () => this.#verifiers.filter((verifier) => verifier !== undefined),
    })
  }

  #firstToken(text: string, idx: number): IssuedToken {
    const record: NewToken | undefined = this.#database.tables.tokens.get(idx)?.token
    if (record === undefined) throw new Error('The installation has no first tokens.')
    return { text, record }
  }

  #startNode(slot: number): void {
    const process = this.#newProcess(`node ${slot}`)
    const node = new SimulatedNode({
      process,
      storage: this.#database.connect(process),
      isBehind: () => this.#database.isBehind(process),
      network: this.#network,
      observer: this.#observer,
      random: this.#random.fork(`inside ${process.id}`),
      // The configuration may have changed since the last start.
      leaseMs: this.#leaseMs * this.#random.pick([1, 1, 0.6]),
      longestLeaseMs: this.#leaseMs,
      masterKey: this.#masterKey,
      verifierIn: (from) => this.#verifiers.find((verifier) => verifier?.process === from),
    })
    this.#nodes[slot] = node
    node.start()
    process.onEnd(() => {
      this.#nodes[slot] = undefined
      this.#scheduler.after(this.#random.between(20, this.#leaseMs), () => this.#startNode(slot))
    })
  }

  #startVerifier(slot: number): void {
    const process = this.#newProcess(`verifier ${slot}`)
    if (this.#stormy) process.stalls = this.#stalls()
    this.#verifiers[slot] = new SimulatedVerifier({
      process,
      scheduler: this.#scheduler,
      network: this.#network,
      observer: this.#observer,
      random: this.#random.fork(`inside ${process.id}`),
      pickNode: () => {
        const nodes = this.#runningNodes()
        return nodes.length === 0 ? undefined : this.#random.pick(nodes)
      },
      interruptChance: 0.1,
    })
    process.onEnd(() => {
      this.#verifiers[slot] = undefined
      this.#scheduler.after(this.#random.between(20, this.#leaseMs / 2), () => this.#startVerifier(slot))
    })
  }

  #newProcess(name: string): SimulatedProcess {
    this.#incarnations++
    const process = new SimulatedProcess(this.#scheduler, this.#random, `${name} (${this.#incarnations})`)
    if (this.#random.chance(0.5)) this.#suspendable.add(process)
    return process
  }

  #runningNodes(): SimulatedNode[] {
    return this.#nodes.filter((node) => node !== undefined)
  }

  #stalls() {
    return { chance: this.#random.pick([0, 0.001]), ms: [1, this.#leaseMs * 1.5] } as const
  }

  #storm(): void {
    this.#stormy = true
    for (const verifier of this.#verifiers) if (verifier) verifier.process.stalls = this.#stalls()
    const { link, database } = lossy(this.#random)
    this.#network.behave(link)
    this.#database.behaviour = database
    this.#strikeLater()
  }

  #strikeLater(): void {
    this.#scheduler.after(this.#random.between(0.05, 0.8) * this.#leaseMs, () => {
      if (!this.#stormy) return
      this.#strike()
      this.#strikeLater()
    })
  }

  #strike(): void {
    if (this.#stormy) strike(this.#targets(), pickFault(this.#random))
  }

  /** Nothing more strikes; when the last of it has passed, everybody decides again, with time to spare. */
  async #calm(): Promise<void> {
    this.#stormy = false
    for (const verifier of this.#verifiers) if (verifier) verifier.process.stalls = { chance: 0, ms: [0, 0] }
    this.#network.behave(FAULTLESS)
    this.#database.behaviour = FAULTLESS_DATABASE
    await this.#runUntil(this.#scheduler.nowMs + this.#leaseMs * 3 + RECONNECT_MS)
    // Somebody needs a key: what could not be found out about the newest one while all went wrong is tried again.
    for (const node of this.#runningNodes()) node.signingKid
    await this.#runUntil(this.#scheduler.nowMs + this.#leaseMs * 2)
    if (this.#observer.violation !== undefined) return
    for (const verifier of this.#verifiers) verifier?.checkReadiness()
    for (const node of this.#runningNodes()) node.checkKey()
  }

  #targets(): Targets {
    return {
      scheduler: this.#scheduler,
      random: this.#random,
      network: this.#network,
      database: this.#database,
      leaseMs: this.#leaseMs,
      client: this.#client,
      nodes: () => this.#runningNodes().map(({ process }) => process),
      verifiers: () => this.#verifiers.flatMap((verifier) => (verifier ? [verifier.process] : [])),
      isSuspendable: (process) => this.#suspendable.has(process),
      mute: (process, untilMs) => {
        for (const verifier of this.#verifiers) if (verifier?.process === process) verifier.muteUntilMs = untilMs
      },
      crash: (process) => process.end(),
      leave: (process) => this.#leave(process),
      hasForgotten: () => this.#observer.forgottenAfterSeq !== undefined,
      forgotten: (seq) => this.#observer.forgetAfter(seq),
      openEpoch: () => this.#openEpoch(),
      struck: (fault) => this.#struck(fault),
    }
  }

  #openEpoch(): void {
    const random = this.#random.fork('epoch')
    const { direct: storage, tables } = this.#database
    const { installation } = tables
    if (installation === undefined) return
    const clock = { nowMs: () => 1_700_000_000_000 }
    const write = writeOffline({ storage, clock, newId: () => random.uuid(7) }, offlineActor(installation))
    const newUuid = () => {
      const uuid = random.uuid(4)
      tables.standInId ??= uuid
      return uuid
    }
    const deps = { membership: storage.membership, clock, newUuid, longestLeaseMs: this.#leaseMs }
    openEpoch(deps, write).catch((error: unknown) => this.#observer.note('fault', String(error)))
  }

  #leave(process: SimulatedProcess): void {
    if (!process.running) return
    for (const verifier of this.#verifiers) if (verifier?.process === process) verifier.close()
    for (const node of this.#nodes) if (node?.process === process) node.stop()
  }

  #struck(fault: Fault): void {
    this.#scheduler.trace(fault)
    this.#faults.set(fault, (this.#faults.get(fault) ?? 0) + 1)
    if (KEEPS_NODES.has(fault)) {
      const longestMs = this.#leaseMs * LONGEST_FAULT_LEASES + this.#database.behaviour.timeoutMs
      for (const node of this.#runningNodes()) node.trouble(longestMs)
    }
    if (this.#observer.isWaiting) this.#faultsBeforeAnswer.set(fault, (this.#faultsBeforeAnswer.get(fault) ?? 0) + 1)
  }
}
