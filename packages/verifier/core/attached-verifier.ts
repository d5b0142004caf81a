import {
  type Clocks,
  decodeServiceMessage,
  encodeVerifierMessage,
  type FeedSocket,
  type FeedSocketListener,
  instantOf,
  type Position,
  type Timers,
  type Verdict,
} from '@rescind/protocol'
import type { Expectations } from './expectations.ts'
import {
  type FollowerEffect,
  type FollowerEvent,
  type FollowerNotice,
  type FollowerState,
  follow,
  type Home,
  INITIAL_FOLLOWER,
  mayDecide,
  wakeAtMs,
} from './follower.ts'
import { createLocalVerifier, type LocalVerifier, type Undecided } from './local-verifier.ts'
import { UsageNotes } from './usage-notes.ts'

export interface AttachedVerifierOptions {
  /** Opens a connection to the feed; the listener hears from it later, never before this returns. */
  readonly connect: (listener: FeedSocketListener & { opened(): void }) => FeedSocket
  readonly clocks: Clocks
  readonly timers: Timers
  /** From 0 up to 1: spreads the reconnections of many verifiers. */
  readonly random: () => number
  readonly onNotice?: (notice: FollowerNotice) => void
  /** Most tokens whose good signature is remembered, at about 2 KiB each; 10,000 unless given. */
  readonly verifiedTokensLimit?: number
}

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 5_000
/** With what the service takes to write them, a use is seen well within a minute. */
const USAGE_INTERVAL_MS = 15_000

/**
 * A verifier that follows a service: it connects, catches up, renews its lease, and reconnects when that is lost. It
 * decides alone for as long as its lease holds, whatever became of the connection.
 */
export class AttachedVerifier {
  readonly #options: AttachedVerifierOptions
  readonly #usage = new UsageNotes()
  #state: FollowerState = INITIAL_FOLLOWER
  #verifier: LocalVerifier | undefined
  #socket: FeedSocket | undefined
  #cancelWake = (): void => {}
  #cancelUsage = (): void => {}
  #cancelRetry = (): void => {}
  #wakeMs: number | undefined
  /** Uses had to be told while there was nobody to tell. */
  #owesUsage = false

  constructor(options: AttachedVerifierOptions) {
    this.#options = options
  }

  /** Connects, and stays connected until {@link close}. */
  start(): void {
    this.#dispatch({ type: 'start' })
    this.#sendUsageLater()
  }

  /**
   * The verdict on `token`, or `undecided` while no lease holds: the service has to be asked then. Never throws, and
   * writes nothing: that a token was used is told to the service later.
   */
  verify(token: string, expected?: Expectations): Verdict | Undecided {
    const verdict = this.#verifier?.verify(token, expected) ?? { status: 'undecided' }
    if (verdict.status === 'valid') {
      this.#usage.note(verdict.token.claims.status.status_list.idx, this.#options.clocks.nowMs())
    }
    return verdict
  }

  /** What has been applied; `undefined` before the first welcome. */
  get position(): Position | undefined {
    return this.#verifier?.position
  }

  /** Where it stands, for metrics. */
  get state(): FollowerState {
    return this.#state
  }

  /** Whether it may decide alone now. */
  holds(): boolean {
    return mayDecide(this.#state, instantOf(this.#options.clocks))
  }

  /** Stops deciding, for good, and tells the service so: no revocation waits for this verifier any more. */
  close(): void {
    this.#sendUsage()
    this.#dispatch({ type: 'stop' })
    this.#cancelWake()
    this.#cancelUsage()
    this.#cancelRetry()
  }

  #dispatch(event: FollowerEvent): void {
    const { state, effects } = follow(this.#state, event, instantOf(this.#options.clocks))
    this.#state = state
    for (const effect of effects) {
      if (this.#run(effect)) continue
      // What should follow would say that it was applied.
      this.#dispatch({ type: 'cannot_apply' })
      break
    }
    this.#wakeLater()
    if (this.#owesUsage) this.#sendUsage()
    for (const effect of effects) if (effect.type === 'notify') this.#notify(effect.notice)
  }

  /** @returns false when the effect did not take place */
  #run(effect: FollowerEffect): boolean {
    switch (effect.type) {
      case 'connect':
        this.#socket = this.#options.connect(this.#listen(effect.connection))
        return true
      case 'send':
        this.#socket?.send(encodeVerifierMessage(effect.message))
        return true
      case 'disconnect':
        this.#socket?.close(effect.code)
        return true
      case 'welcomed':
        this.#verifier ??= this.#createVerifier(effect.home)
        return true
      case 'apply':
        return takesEffect(() => this.#verifier?.apply(effect.entries))
      case 'unite':
        return takesEffect(() => this.#verifier?.unite(effect.snapshot))
      case 'pause':
        this.#cancelRetry = this.#options.timers.after(this.#pauseMs(effect.failures), () =>
          this.#dispatch({ type: 'retry' }),
        )
        return true
      case 'notify':
        return true
    }
  }

  /** When everything else is done: what a listener throws is its own affair. */
  #notify(notice: FollowerNotice): void {
    try {
      this.#options.onNotice?.(notice)
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }

  #createVerifier({ issuer, epoch, tokenPrefix }: Home): LocalVerifier {
    const { clocks, verifiedTokensLimit } = this.#options
    return createLocalVerifier({
      issuer,
      epoch,
      tokenPrefix,
      lease: this,
      clock: clocks,
      ...(verifiedTokensLimit !== undefined && { verifiedTokensLimit }),
    })
  }

  #listen(connection: number): FeedSocketListener & { opened(): void } {
    return {
      opened: () => this.#dispatch({ type: 'connected', connection }),
      received: (data) => {
        if (typeof data !== 'string') return this.#dispatch({ type: 'piece', connection, bytes: data })
        const message = decodeServiceMessage(data)
        return this.#dispatch(
          message === undefined ? { type: 'unreadable', connection } : { type: 'message', connection, message },
        )
      },
      closed: () => this.#dispatch({ type: 'disconnected', connection }),
    }
  }

  #wakeLater(): void {
    const { clocks, timers } = this.#options
    const wakeMs = wakeAtMs(this.#state, instantOf(clocks))
    if (wakeMs === this.#wakeMs) return
    this.#cancelWake()
    this.#wakeMs = wakeMs
    if (wakeMs === undefined) return
    this.#cancelWake = timers.after(Math.max(0, wakeMs - clocks.monotonicMs()), () => {
      this.#wakeMs = undefined
      this.#dispatch({ type: 'due' })
    })
  }

  /** Doubles, up to a limit, and is spread over its upper half. */
  #pauseMs(failures: number): number {
    const longestMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 10))
    return longestMs * (0.5 + this.#options.random() / 2)
  }

  #sendUsageLater(): void {
    this.#cancelUsage = this.#options.timers.after(USAGE_INTERVAL_MS, () => {
      this.#sendUsage()
      this.#sendUsageLater()
    })
  }

  #sendUsage(): void {
    this.#owesUsage = this.#state.phase !== 'following'
    if (this.#owesUsage) return
    for (const uses of this.#usage.take()) this.#socket?.send(encodeVerifierMessage({ type: 'usage', uses }))
  }
}

function takesEffect(change: () => void): boolean {
  try {
    change()
    return true
  } catch {
    return false
  }
}
