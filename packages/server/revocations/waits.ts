import { type InForce, type Timers, Unavailable } from '@rescind/protocol'
import type { Membership } from '../storage/storage.ts'
import { type Sightings, sight } from './other-nodes.ts'
import { beginWait, type View, type Wait, type WaitEvent, wait } from './waiter.ts'

interface WaitsDeps {
  readonly membership: Pick<Membership, 'members' | 'remove' | 'onReport'>
  readonly timers: Timers
  /** The monotonic clock of the node that waits. */
  readonly nowMs: () => number
  /** What the node knows itself, now. */
  readonly view: () => View
  /** The members have been read, and whoever waits for one of them has been told. */
  readonly onRead: () => void
  /** The members could not be read or written; it is tried again. */
  readonly onTrouble: (error: unknown) => void
}

interface PendingWait {
  wait: Wait
  /** When to look at it again, unless something changes before. */
  wakeMs: number
  readonly resolve: (outcome: InForce) => void
  readonly reject: (error: unknown) => void
}

/** How often the members are read while another node is waited for. */
const POLL_MS = 100

/**
 * The waits of one node for revocations to be in force. Reads the other nodes, as often as somebody waits for them, and
 * removes those that have ended; when to look at the waits again is for the node to say.
 */
export class Waits {
  readonly #deps: WaitsDeps
  readonly #pending = new Set<PendingWait>()
  /** Those for which the members have to be read, or read again. */
  #unread = new Set<PendingWait>()
  #sightings: Sightings = new Map()
  #isReading = false
  #cancelPoll = (): void => {}
  #isOver = false

  constructor(deps: WaitsDeps) {
    this.#deps = deps
    deps.membership.onReport(() => this.#readForAwaiting())
  }

  /** Whether there were other nodes when the members were last read. */
  get knowsOthers(): boolean {
    return this.#sightings.size > 0
  }

  /** When a wait has to be looked at, unless something changes before; `Infinity` when none has. */
  get wakeMs(): number {
    let nextMs = Number.POSITIVE_INFINITY
    for (const { wakeMs } of this.#pending) nextMs = Math.min(nextMs, wakeMs)
    return nextMs
  }

  /** As {@link Enforcement.inForce}, which it is for. */
  begin(seq: number): Promise<InForce> {
    if (this.#isOver) return Promise.reject(new Unavailable('draining'))
    return new Promise((resolve, reject) => {
      const wakeMs = Number.POSITIVE_INFINITY
      const pending = { wait: beginWait(seq, this.#deps.nowMs()), wakeMs, resolve, reject }
      this.#pending.add(pending)
      this.#unread.add(pending)
      this.readMembers()
    })
  }

  /** Settles the waits for entries up to `seq` that are over. */
  look(seq = Number.POSITIVE_INFINITY): void {
    for (const pending of this.#pending) if (pending.wait.seq <= seq) this.#advance(pending, { type: 'look' })
  }

  /** One reading serves all waits that began before it was sent: each needs one that was made after its commit. */
  readMembers(): void {
    if (this.#isReading || this.#isOver) return
    this.#isReading = true
    const served = this.#unread
    this.#unread = new Set()
    const { membership, view, nowMs, onRead, onTrouble } = this.#deps
    const askedMs = nowMs()
    membership.members().then(
      (members) => {
        this.#isReading = false
        if (this.#isOver) return
        const { sightings, ended } = sight(this.#sightings, members, view().nodeId, { askedMs, readMs: nowMs() })
        this.#sightings = sightings
        for (const pending of served)
          if (this.#pending.has(pending)) this.#advance(pending, { type: 'members', members })
        onRead()
        for (const { nodeId, renewals } of ended) membership.remove(nodeId, renewals).catch(onTrouble)
        this.#readOn()
      },
      (error: unknown) => {
        this.#isReading = false
        onTrouble(error)
        for (const pending of served) {
          // Who is to be waited for is known to the others, and time alone ends that.
          if (pending.wait.others !== null || !this.#pending.delete(pending)) continue
          pending.reject(error)
        }
        this.#readOn()
      },
    )
  }

  /** Ends every wait with {@link Unavailable}; none begins any more. */
  end(): void {
    this.#isOver = true
    this.#cancelPoll()
    for (const pending of this.#pending) pending.reject(new Unavailable('draining'))
    this.#pending.clear()
  }

  #advance(pending: PendingWait, event: WaitEvent): void {
    const { wait: next, effects } = wait(pending.wait, event, this.#deps.view(), this.#deps.nowMs())
    pending.wait = next
    pending.wakeMs = Number.POSITIVE_INFINITY
    for (const effect of effects) {
      if (effect.type === 'wake') pending.wakeMs = effect.atMs
      else {
        this.#pending.delete(pending)
        pending.resolve(effect.outcome)
      }
    }
  }

  /** At once for those who came while the members were being read, after a while for those who wait for another node. */
  #readOn(): void {
    if (this.#unread.size > 0) this.readMembers()
    else this.#pollWhileAwaited()
  }

  #pollWhileAwaited(): void {
    this.#cancelPoll()
    if (this.#awaiting().length === 0) return
    this.#cancelPoll = this.#deps.timers.after(POLL_MS, () => this.#readForAwaiting())
  }

  #readForAwaiting(): void {
    const awaiting = this.#awaiting()
    if (awaiting.length === 0) return
    for (const pending of awaiting) this.#unread.add(pending)
    this.readMembers()
  }

  /** The waits for another node. */
  #awaiting(): PendingWait[] {
    return [...this.#pending].filter(({ wait: { others } }) => others !== null && others.length > 0)
  }
}
