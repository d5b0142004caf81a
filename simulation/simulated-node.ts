import { type FeedSocket, type FeedSocketListener, type HeldLease, type Position, permittedMs } from '@rescind/protocol'
import { type CheckToken, createCheckToken } from '../packages/server/access/check-token.ts'
import { endAllTokens } from '../packages/server/revocations/revoke-all.ts'
import { type Deciding, startDeciding } from '../packages/server/start-deciding.ts'
import type { Storage } from '../packages/server/storage/storage.ts'
import { SigningKeys } from '../packages/server/tokens/signing-keys.ts'
import type { IssuedToken } from './issued-token.ts'
import type { Network } from './network.ts'
import { NodeWatch } from './node-watch.ts'
import type { ObservedNode, ObservedVerifier } from './observed.ts'
import type { Observer } from './observer.ts'
import type { SimulatedProcess } from './process.ts'
import type { Random } from './random.ts'
import { SimulatedApi } from './simulated-api.ts'

export interface NodeDeps {
  readonly process: SimulatedProcess
  readonly storage: Storage
  /** Whether some of its connections go to a former primary. */
  readonly isBehind: () => boolean
  readonly network: Network
  readonly observer: Observer
  readonly random: Random
  readonly leaseMs: number
  /** Of any node there is or was. */
  readonly longestLeaseMs: number
  readonly masterKey: Uint8Array
  /** The verifier that runs in a process. */
  readonly verifierIn: (process: SimulatedProcess) => ObservedVerifier | undefined
}

/** One node: the production code of the service around a simulated network, database and clock. */
export class SimulatedNode implements ObservedNode {
  readonly process: SimulatedProcess
  readonly #deps: NodeDeps
  readonly #watch: NodeWatch
  #deciding: Deciding | undefined
  #keys: SigningKeys | undefined
  #checkToken: CheckToken | undefined
  #api: SimulatedApi | undefined
  #lastUuid = ''

  constructor(deps: NodeDeps) {
    const { observer, leaseMs, longestLeaseMs } = deps
    this.#deps = deps
    this.process = deps.process
    this.#watch = new NodeWatch({ node: this, observer, leaseMs, longestLeaseMs })
  }

  /** Starts it. Where that fails, the process ends. */
  start(): void {
    this.#boot().catch((error: unknown) => {
      this.#deps.observer.noteFault(error)
      this.process.end()
    })
  }

  get appliedSeq(): number {
    return this.#deciding?.verifier.position.seq ?? 0
  }

  get position(): Position | undefined {
    return this.#deciding?.verifier.position
  }

  /** Whether it has applied the log as it is now, and no other. */
  get isOfLog(): boolean {
    const { position } = this
    return position !== undefined && this.#deps.observer.isOfLog(position)
  }

  get nodeId(): string {
    return this.#deciding?.node.nodeId ?? ''
  }

  get deciding(): Deciding | undefined {
    return this.#deciding
  }

  get kids(): string[] {
    return this.#deciding?.verifier.jwks().map(({ kid }) => kid) ?? []
  }

  get signingKid(): string | undefined {
    return this.#keys?.current.jwk.kid
  }

  /** @throws Error when it has not started */
  get api(): SimulatedApi {
    if (this.#api === undefined) throw new Error('The node has not started.')
    return this.#api
  }

  /** Whether it may decide, whoever asks: that nobody can tell is no reason to renew. */
  holds(): boolean {
    return this.process.running && this.decidingLeases().length > 0
  }

  decidingLeases(): readonly HeldLease[] {
    const { clock } = this.process
    const now = { monotonicMs: clock.monotonicMs(), wallMs: clock.nowMs() }
    const leases = this.#deciding?.node.lease.leases ?? []
    return leases.filter((lease) => permittedMs([lease], this.appliedSeq, now) > 0)
  }

  checkDelay(headSeq: number): void {
    // A former primary shows what there was.
    if (this.#deps.isBehind()) this.trouble(0)
    if (this.#deciding !== undefined && this.process.running) this.#watch.checkDelay(headSeq)
  }

  /** The service's own verdict, for whoever asks online. */
  async verify(token: IssuedToken, beganMs: number) {
    const check = this.#checkToken
    if (check === undefined) return { status: 'undecided' } as const
    const { observer, isBehind } = this.#deps
    const wasBehind = isBehind()
    const began = { ms: beganMs, position: this.position }
    const verdict = await check(token.text)
    if (wasBehind || isBehind()) observer.excuse(verdict)
    observer.verified(token, verdict, began, this.process.id, observer.appliedSeq(this.position))
    return verdict
  }

  /** After a time in which nothing went wrong: it signs with the newest key. */
  checkKey(): void {
    const newest = this.kids.at(-1)
    if (this.#keys !== undefined && this.signingKid !== newest)
      this.#deps.observer.note('I15', `${this.process.id} does not sign with the newest key`)
  }

  /** Something keeps it from its work, at most for so long. */
  trouble(forMs: number): void {
    this.#watch.trouble(forMs)
  }

  /** Leaves in order, and ends. */
  async stop(): Promise<void> {
    const deciding = this.#deciding
    this.#deps.network.stopListening(this.process)
    if (deciding !== undefined) {
      deciding.feed.leave()
      const deadline = new AbortController()
      this.process.timers.after(this.#deps.leaseMs * 2, () => deadline.abort())
      await deciding.node.leave(deadline.signal)
    }
    this.process.end()
  }

  async #boot(): Promise<void> {
    const { process, network, observer, random, leaseMs, masterKey, storage: database } = this.#deps
    const storage: Storage = {
      read: database.read,
      transact: (unit) => database.transact(unit),
      follow: (after, deliver) => database.follow(after, this.#watch.follower(after, deliver)),
      membership: this.#watch.membership(database.membership),
      failed: database.failed,
      close: () => database.close(),
    }
    storage.failed.then(() => process.end())
    const installation = await storage.read.installation()
    if (installation === undefined) throw new Error('There is no installation.')
    const deciding = await startDeciding({
      storage,
      installation,
      clocks: process.clocks,
      timers: process.timers,
      newUuid: () => {
        this.#lastUuid = random.uuid(4)
        return this.#lastUuid
      },
      leaseMs,
      onTrouble: (error) => {
        observer.noteFault(error)
      },
      noteUse: () => {},
      onNotice: () => {},
    })
    const enforcement = { inForce: (seq: number) => this.#watch.inForce(deciding.node, seq) }
    const { verifier } = deciding
    const keys = SigningKeys.open(
      {
        read: storage.read,
        clock: process.clocks,
        masterKey,
        inForce: enforcement.inForce,
        applied: () => ({ seq: verifier.position.seq, kids: verifier.jwks().map(({ kid }) => kid) }),
        onChange: deciding.onKeyEntries,
        endKey: (tx, kid, cause) => endAllTokens(tx, { kind: 'key', kid }, cause),
      },
      await storage.read.signingKeys(),
    )
    if (keys === undefined) throw new Error('The master key does not open the signing keys.')
    const checkToken = createCheckToken({ verifier, read: storage.read, noteUse: () => {} })
    this.#keys = keys
    this.#deciding = deciding
    this.#checkToken = checkToken
    this.#api = new SimulatedApi({
      process,
      storage: database,
      observer,
      random,
      installation,
      keys,
      checkToken,
      enforcement,
    })
    observer.nodes.add(this)
    process.onEnd(() => observer.nodes.delete(this))
    network.listen(process, (socket, from) => this.#accept(socket, from))
  }

  #accept(socket: FeedSocket, from: SimulatedProcess): FeedSocketListener | undefined {
    const verifier = this.#deps.verifierIn(from)
    const deciding = this.#deciding
    if (verifier === undefined || deciding === undefined || !deciding.lease.holds()) return undefined
    const listener = deciding.feed.accept(this.#watch.socket(socket), { tokenId: from.id, isGood: () => true })
    verifier.attachedTo(this, this.#lastUuid)
    return this.#watch.listener(listener)
  }
}
