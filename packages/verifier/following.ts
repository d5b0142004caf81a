import { FEED_CLOSE, instantOf, type Position, permittedMs, type Verdict } from '@rescind/protocol'
import {
  AttachedVerifier,
  type Expectations,
  type FeedConnectionListener,
  type FollowerNotice,
  type Undecided,
} from './core/index.ts'
import type { Credential } from './credential.ts'
import type { Deciding, DecidingListener } from './deciding.ts'
import type { Environment } from './environment.ts'
import { FeedConnection } from './feed-connection.ts'
import { answeredWith, unreachable } from './service.ts'
import { VerifierError, type VerifierErrorCode } from './verifier-error.ts'

interface Deps {
  readonly url: string
  readonly credential: Credential
  readonly environment: Environment
  readonly verifiedTokensLimit: number
  readonly on: DecidingListener
}

/** What the trouble is when the follower tells of this. */
const TROUBLE: Readonly<Partial<Record<FollowerNotice, VerifierErrorCode>>> = {
  log_mismatch: 'log_mismatch',
  snapshot_damaged: 'feed_damaged',
  bad_message: 'feed_damaged',
  credential_ended: 'credential_ended',
  wrong_service: 'wrong_issuer',
}

/** How long a goodbye may take. */
const GOODBYE_MS = 2_000

/** A verifier that follows the service, and finds out why when it cannot. */
export class Following implements Deciding {
  readonly #deps: Deps
  readonly #attached: AttachedVerifier
  #connection: FeedConnection | undefined
  #connections = 0
  #onDisconnected = (): void => {}

  constructor(deps: Deps) {
    this.#deps = deps
    const { clocks, timers, random } = deps.environment
    this.#attached = new AttachedVerifier({
      connect: (listener) => this.#connect(listener),
      clocks,
      timers,
      random,
      onNotice: (notice) => this.#notice(notice),
      verifiedTokensLimit: deps.verifiedTokensLimit,
    })
  }

  start(): void {
    this.#attached.start()
  }

  verify(token: string, expected?: Expectations): Verdict | Undecided {
    return this.#attached.verify(token, expected)
  }

  reconnect(): void {
    this.#connection?.close(FEED_CLOSE.done)
  }

  async close(): Promise<void> {
    const { timers } = this.#deps.environment
    const connection = this.#connection
    const isOver = new Promise<void>((resolve) => {
      this.#onDisconnected = resolve
    })
    this.#attached.close()
    if (connection?.hasClosed !== false) return
    const cancel = timers.after(GOODBYE_MS, () => connection.destroy())
    await isOver
    cancel()
  }

  get issuer(): string | undefined {
    return this.#attached.state.home?.issuer
  }

  get leaseMs(): number | null {
    return this.#attached.state.home?.leaseMs ?? null
  }

  get leaseLeftMs(): number {
    const { leases, position } = this.#attached.state
    return permittedMs(leases, position?.seq ?? -1, instantOf(this.#deps.environment.clocks))
  }

  get isConnected(): boolean {
    return this.#attached.state.phase === 'following'
  }

  get position(): Position | null {
    return this.#attached.position ?? null
  }

  get lag(): number {
    const { leases, position } = this.#attached.state
    const applied = position?.seq ?? 0
    return Math.max(applied, ...leases.map(({ seq }) => seq)) - applied
  }

  get connections(): number {
    return this.#connections
  }

  #connect(listener: FeedConnectionListener): FeedConnection {
    const { url, credential, environment, on } = this.#deps
    const obtain = async () => {
      const token = await credential.renew()
      on.credentialObtained()
      return token
    }
    const heard: FeedConnectionListener = {
      opened: () => listener.opened(),
      received: (message) => listener.received(message),
      refused: (why) => on.trouble('status' in why ? answeredWith(url, why.status) : unreachable(url, why.cause)),
      closed: (code) => {
        listener.closed(code)
        if (connection === this.#connection) this.#onDisconnected()
        const isLost = connection.hasOpened && !connection.isGivenUp
        if (isLost) on.trouble(new VerifierError('disconnected', `${url}, with ${code}`))
      },
    }
    const connection = new FeedConnection(heard, {
      obtain,
      open: (token, listener) => environment.connect(url, token, listener),
      onFault: (fault) => on.trouble(fault instanceof VerifierError ? fault : unreachable(url, fault)),
    })
    this.#connection = connection
    this.#connections += 1
    return connection
  }

  #notice(notice: FollowerNotice): void {
    const { url, on } = this.#deps
    const isStranger = notice === 'bad_message' && this.issuer === undefined
    const code = isStranger ? 'wrong_url' : TROUBLE[notice]
    if (code !== undefined) on.trouble(new VerifierError(code, url))
    if (notice === 'caught_up') on.ready()
    if (notice === 'lapsed') on.lapsed()
    if (notice === 'resynced') on.resynced()
    // Of one that never opened it was said why.
    if (notice === 'disconnected' && this.#connection?.hasOpened) on.trouble(new VerifierError('silent', url))
  }
}
