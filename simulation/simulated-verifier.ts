import type { FeedSocket, FeedSocketListener, HeldLease, Position, Verdict } from '@rescind/protocol'
import { decodeVerifierMessage, permittedMs } from '@rescind/protocol'
import { AttachedVerifier } from '../packages/verifier/core/attached-verifier.ts'
import type { Undecided } from '../packages/verifier/core/local-verifier.ts'
import { verifyOrAsk } from '../packages/verifier/core/verify-or-ask.ts'
import type { IssuedToken } from './issued-token.ts'
import type { ConnectListener, Network } from './network.ts'
import type { ObservedNode } from './observed.ts'
import type { Observer } from './observer.ts'
import type { SimulatedProcess } from './process.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import { Session } from './session.ts'
import { withoutStalls } from './without-stalls.ts'

interface VerifierDeps {
  readonly process: SimulatedProcess
  readonly scheduler: Scheduler
  readonly network: Network
  readonly observer: Observer
  readonly random: Random
  /** A node to connect to, if one runs. */
  readonly pickNode: () => ObservedNode | undefined
  /** How often something else happens in the middle of a verification. */
  readonly interruptChance: number
}

const ASK_TIMEOUT_MS = 1_000

/** A verifier in a process of its own: the production code around a simulated network and clock. */
export class SimulatedVerifier {
  readonly process: SimulatedProcess
  readonly attached: AttachedVerifier
  readonly sessions: Session[] = []
  readonly #deps: VerifierDeps
  /** When each renewal was sent, on the monotonic clock, until a lease came of it. */
  readonly #askedMs = new Map<number, number>()
  /** Until then nothing that it acknowledges arrives, in true time. */
  muteUntilMs = 0
  /** Where each lease came from. */
  readonly #sessionOf = new WeakMap<HeldLease, Session>()
  readonly #revoked = new Set<number>()
  furthestSeq = 0
  #interrupts = 0
  #decided = false
  #lastSeq = 0
  #lastHash = ''

  constructor(deps: VerifierDeps) {
    this.#deps = deps
    this.process = deps.process
    const { process } = deps
    this.attached = new AttachedVerifier({
      connect: (listener) => this.#connect(listener),
      clocks: {
        nowMs: () => process.clocks.nowMs(),
        monotonicMs: () => {
          this.#interrupt()
          return process.clocks.monotonicMs()
        },
      },
      timers: process.timers,
      random: () => deps.random.next(),
    })
    deps.observer.verifiers.add(this)
    process.onEnd(() => deps.observer.verifiers.delete(this))
    this.attached.start()
  }

  get observer(): Observer {
    return this.#deps.observer
  }

  /** What has really been applied. */
  get appliedSeq(): number {
    return this.observer.appliedSeq(this.attached.position)
  }

  get position(): Position | undefined {
    return this.attached.position
  }

  /** Whether it may decide; asks the production code. */
  holds(): boolean {
    if (!this.process.running) return false
    const interrupts = this.#interrupts
    this.#interrupts = 0
    const holds = withoutStalls(this.process, () => this.attached.holds())
    this.#interrupts = interrupts
    return holds
  }

  /** Verifies a token, asking the service when it may not decide alone. */
  async verify(token: IssuedToken): Promise<void> {
    const { observer, random, interruptChance } = this.#deps
    const { trueMs: ms } = this.process
    const { position } = this
    let asked = false
    let local: Verdict | Undecided | undefined
    const verifier = {
      verify: (text: string) => {
        this.#interrupts = random.chance(interruptChance) ? 1 + random.integer(12) : 0
        local = this.attached.verify(text)
        this.#interrupts = 0
        return local
      },
    }
    const outcome = await verifyOrAsk(
      verifier,
      () => {
        asked = true
        return this.#ask(token)
      },
      token.text,
    )
    if (this.process.ended) return
    this.#checkForEver(token, local)
    if (outcome.status === 'valid' && local?.status === 'undecided' && !asked) {
      this.#deps.observer.violate(
        'I14',
        `${this.process.id} used an answer to a question asked before the verification began`,
      )
    }
    const isLocal = local?.status !== 'undecided'
    const began = { ms, position: isLocal ? position : undefined }
    observer.verified(token, outcome, began, this.process.id, isLocal ? this.appliedSeq : 0)
  }

  /** Stops deciding, says goodbye, and ends. */
  close(): void {
    this.attached.close()
    this.process.timers.after(50, () => this.process.end())
  }

  /** After a time in which nothing went wrong: it decides, and would for another quarter of a lease if nobody were there. */
  checkReadiness(): void {
    const { leases, position, home } = this.attached.state
    const leaseMs = home?.leaseMs ?? 0
    const now = { monotonicMs: this.process.clock.monotonicMs(), wallMs: this.process.clock.nowMs() }
    const leftMs = permittedMs(leases, position?.seq ?? -1, now)
    if (this.process.running && (home === null || leftMs < leaseMs / 4)) {
      const { phase, failures } = this.attached.state
      this.observer.note(
        'G4',
        `${this.process.id}, ${phase} after ${failures} failures, has ${leftMs} ms of a lease of ${leaseMs} ms left`,
      )
    }
  }

  attachedTo(node: ObservedNode, verifierId: string): void {
    this.sessions.push(new Session(this, node, verifierId, (invariant, what) => this.observer.violate(invariant, what)))
    if (this.sessions.length > 8) this.sessions.shift()
  }

  /** The leases that let it decide now, and where they came from. */
  decidingLeases(): { readonly seq: number; readonly session: Session | undefined }[] {
    const now = { monotonicMs: this.process.clock.monotonicMs(), wallMs: this.process.clock.nowMs() }
    const { leases, position } = this.attached.state
    return leases
      .filter((lease) => permittedMs([lease], position?.seq ?? -1, now) > 0)
      .map((lease) => ({ seq: lease.seq, session: this.#sessionOf.get(lease) }))
  }

  /** What it once knew to be revoked stays so. */
  #checkForEver({ record }: IssuedToken, verdict: Verdict | Undecided | undefined): void {
    if (verdict?.status === 'rejected' && verdict.reason === 'revoked') this.#revoked.add(record.idx)
    if (verdict?.status === 'valid' && this.#revoked.has(record.idx)) {
      this.observer.violate('I8', `${this.process.id} accepts a token that it has rejected as revoked`)
    }
  }

  /** Where it stands is where the log has been; it goes back only while it may not decide. */
  checkHistory(holds: boolean): void {
    const decidedBefore = this.#decided
    this.#decided = holds
    const { position } = this.attached
    const { observer } = this.#deps
    if (position === undefined || (position.seq === this.#lastSeq && position.hash === this.#lastHash)) return
    const wentBack = position.seq < this.#lastSeq
    this.#lastSeq = position.seq
    this.furthestSeq = Math.max(this.furthestSeq, position.seq)
    this.#lastHash = position.hash
    if (wentBack && decidedBefore && holds)
      observer.violate('I8', `${this.process.id} went back to ${position.seq} while it may decide`)
    if (!observer.isOfLog(position) && !observer.wasLost(position))
      observer.violate('I10', `${this.process.id} applied up to ${position.seq} what is not in the log`)
  }

  /** Leases come from those who know the log as it is, for those who know it too. */
  #checkLeasedHistory(): void {
    const { position } = this.attached
    const { observer } = this.#deps
    if (position === undefined || observer.isOfLog(position)) return
    // Those who follow a history that was lost grant nothing that is not waited out, like those that have ended.
    const isFromNewNode = observer
      .counterfeit(this.decidingLeases(), position)
      .some(({ session }) => session?.node.isOfLog && !session.node.process.ended)
    if (isFromNewNode) observer.violate('I7', `${this.process.id} decides at ${position.seq} of another history`)
  }

  /** Lets other things happen where code that is not one block could be interrupted. */
  #interrupt(): void {
    const times = this.#interrupts
    // What happens meanwhile is not interrupted itself.
    this.#interrupts = 0
    for (let time = 0; time < times; time++) {
      this.#deps.scheduler.runNext()
      this.observer.check()
    }
  }

  async #ask(token: IssuedToken): Promise<Verdict | Undecided> {
    const { network, observer, pickNode } = this.#deps
    const node = pickNode()
    if (node === undefined) return { status: 'undecided' }
    try {
      const beganMs = this.process.trueMs
      return await network.request(this.process, node.process, () => node.verify(token, beganMs), ASK_TIMEOUT_MS)
    } catch (error) {
      observer.noteFault(error)
      return { status: 'undecided' }
    }
  }

  #connect(listener: FeedSocketListener & { opened(): void }): FeedSocket {
    const { network, pickNode } = this.#deps
    const node = pickNode()
    if (node === undefined) {
      this.process.timers.after(10, () => listener.closed(1006))
      return { send: () => {}, bufferedBytes: 0, close: () => {}, destroy: () => {} }
    }
    let socket: FeedSocket | undefined
    let session: Session | undefined
    const heard: ConnectListener = {
      opened: (opened) => {
        socket = opened
        listener.opened()
      },
      received: (message) => {
        session ??= this.sessions.find(({ verifierId }) => String(message).includes(verifierId))
        this.#received(message, listener, session)
      },
      closed: (code) => listener.closed(code),
    }
    const giveUp = network.connect(this.process, node.process, heard)
    return {
      send: (message) => {
        if (typeof message === 'string') this.#noteRenewal(message)
        if (!this.#isLost(message)) socket?.send(message)
      },
      get bufferedBytes() {
        return socket?.bufferedBytes ?? 0
      },
      close: (code) => (socket === undefined ? giveUp() : socket.close(code)),
      destroy: () => (socket === undefined ? giveUp() : socket.destroy()),
    }
  }

  #isLost(message: string | Uint8Array): boolean {
    return this.process.trueMs < this.muteUntilMs && String(message).startsWith('{"type":"applied"')
  }

  #noteRenewal(text: string): void {
    const message = decodeVerifierMessage(text)
    if (message?.type === 'renew') this.#askedMs.set(message.nonce, this.process.clock.monotonicMs())
  }

  /** A lease comes of the grant that answers a renewal, once, and counts from before it was sent. */
  #received(message: string | Uint8Array, listener: FeedSocketListener, session: Session | undefined): void {
    const before = this.attached.state.leases
    listener.received(message)
    const added = this.attached.state.leases.filter((lease) => !before.includes(lease))
    this.#checkLeasedHistory()
    if (added.length === 0) return
    for (const lease of added) if (session !== undefined) this.#sessionOf.set(lease, session)
    const nonce = /"nonce":(\d+)/.exec(String(message))?.[1]
    const askedMs = this.#askedMs.get(Number(nonce))
    this.#askedMs.delete(Number(nonce))
    const isGood = added.length === 1 && askedMs !== undefined && (added[0]?.since.monotonicMs ?? 0) <= askedMs
    if (!isGood) this.#deps.observer.violate('I9', `${this.process.id} has a lease from a grant that answers nothing`)
  }
}
