import { EventEmitter } from 'node:events'
import { bearerToken } from '@rescind/protocol'
import { type Expectations, verifyOrAsk } from './core/index.ts'
import { Credential } from './credential.ts'
import type { Deciding, DecidingListener } from './deciding.ts'
import { ExpiryWatch } from './expiry-watch.ts'
import { Following } from './following.ts'
import { Online } from './online.ts'
import type { Settings } from './options.ts'
import { Service } from './service.ts'
import type { Verdict } from './verdict.ts'
import type { Verifier, VerifierEvents, VerifierStatus } from './verifier.ts'
import { VerifierError } from './verifier-error.ts'

/** What is presented as anything but text. */
const NO_TOKEN = ''

const NO_CREDENTIAL: Verdict = Object.freeze({ status: 'rejected', reason: 'no_credential' })
const LAPSED: Verdict = Object.freeze({ status: 'undecided', reason: 'lapsed' })
const CLOSED: Verdict = Object.freeze({ status: 'undecided', reason: 'closed' })

/** How often another credential is asked for while the service refuses the one in use. */
const RENEWAL_PAUSE_MS = 1_000

/** Decides alone while it may, and asks the service otherwise. */
export class ServiceVerifier extends EventEmitter<VerifierEvents> implements Verifier {
  readonly #settings: Settings
  readonly #credential: Credential
  readonly #service: Service
  readonly #deciding: Deciding
  readonly #expiryWatch: ExpiryWatch
  readonly #counters = { valid: 0, rejected: 0, undecided: 0, lapses: 0 }
  #isWatching = false
  #isRefused = false
  #renewAgainMs = 0
  #isClosed = false
  #closing: Promise<void> | undefined

  constructor(settings: Settings) {
    super()
    const { url, mode, environment, verifiedTokensLimit, askTimeoutMs } = settings
    const { clocks, timers } = environment
    const credential = new Credential(settings.token)
    const service = new Service({ url, credential, environment, timeoutMs: askTimeoutMs })
    const on = this.#listener()
    this.#settings = settings
    this.#credential = credential
    this.#service = service
    this.#deciding =
      mode === 'online'
        ? new Online({ service, timers, on })
        : new Following({ url, credential, environment, verifiedTokensLimit, on })
    const onExpiring = (expiresAtMs: number) => void this.#expiring(expiresAtMs)
    this.#expiryWatch = new ExpiryWatch({ credential, clocks, timers, onExpiring })
  }

  /** Begins to connect. `caught-up` tells when verifications can be decided, `trouble` what is in the way of it. */
  start(): void {
    this.#deciding.start()
  }

  /** Tells of the end of the credential from now on. */
  watchExpiry(): void {
    this.#isWatching = true
    this.#expiryWatch.watch()
  }

  /** Whether it waits for a credential of its own. */
  get awaitsCredential(): boolean {
    return this.#credential.isAwaited
  }

  /** Who issues the tokens that it accepts, as far as that is known. */
  get issuer(): string | undefined {
    return this.#deciding.issuer ?? this.#credential.issuer
  }

  verify(credential: unknown, expected?: Expectations): Promise<Verdict> {
    if (this.#isClosed) return this.#count(CLOSED)
    const token = presentedToken(credential)
    if (token === undefined) return this.#count(NO_CREDENTIAL)
    const outcome = verifyOrAsk<Verdict>(this.#deciding, this.#ask, token, expected)
    return outcome instanceof Promise ? outcome.then((verdict) => this.#count(verdict)) : this.#count(outcome)
  }

  status(): VerifierStatus {
    const { mode } = this.#settings
    const { leaseLeftMs, leaseMs, isConnected, position, lag, connections } = this.#deciding
    return {
      mode,
      deciding: leaseLeftMs > 0,
      leaseLeftMs,
      leaseMs,
      connected: isConnected,
      position,
      lag,
      credentialExpiresAtMs: this.#credential.expiresAtMs ?? null,
      counters: { ...this.#counters, asked: this.#service.asked, connections },
    }
  }

  close(): Promise<void> {
    this.#isClosed = true
    this.#expiryWatch.stop()
    this.#service.close()
    this.#closing ??= this.#deciding.close()
    return this.#closing
  }

  readonly #ask = async (token: string, expected?: Expectations): Promise<Verdict> => {
    if (this.#settings.onLapse === 'reject') return LAPSED
    const verdict = await this.#service.ask(token, expected)
    this.#noteRefusal(verdict.status === 'undecided' && verdict.reason === 'refused')
    return verdict
  }

  /** Tells of it once until the service answers again, and looks for another credential. */
  #noteRefusal(isRefused: boolean): void {
    if (isRefused && !this.#isRefused)
      this.#tell('trouble', new VerifierError('credential_refused', this.#settings.url))
    this.#isRefused = isRefused
    const nowMs = this.#settings.environment.clocks.monotonicMs()
    if (!isRefused || nowMs < this.#renewAgainMs) return
    this.#renewAgainMs = nowMs + RENEWAL_PAUSE_MS
    void this.#renew()
  }

  async #expiring(expiresAtMs: number): Promise<void> {
    if (this.#credential.isRenewable) await this.#renewInTime()
    if ((this.#credential.expiresAtMs ?? 0) > expiresAtMs) this.#deciding.reconnect()
    else this.#tell('expiring', { expiresAtMs })
  }

  /** Resolves when it is done, or has taken as long as the service would be waited for. */
  async #renewInTime(): Promise<void> {
    const { environment, askTimeoutMs } = this.#settings
    const timeUp = Promise.withResolvers<void>()
    const cancel = environment.timers.after(askTimeoutMs, timeUp.resolve)
    await Promise.race([this.#renew(), timeUp.promise])
    cancel()
  }

  async #renew(): Promise<void> {
    if (!this.#credential.isRenewable) return
    try {
      await this.#credential.renew()
      this.#watchAgain()
    } catch (error) {
      if (error instanceof VerifierError) this.#tell('trouble', error)
    }
  }

  #watchAgain(): void {
    if (this.#isWatching && !this.#isClosed) this.#expiryWatch.watch()
  }

  /** What a listener throws is its own affair: it ends in nobody's hands, but interrupts nothing here. */
  #tell<Name extends keyof VerifierEvents>(name: Name, ...about: VerifierEvents[Name]): void {
    if (this.#isClosed) return
    try {
      ;(this as EventEmitter).emit(name, ...about)
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }

  #count(verdict: Verdict): Promise<Verdict> {
    this.#counters[verdict.status] += 1
    return Promise.resolve(verdict)
  }

  #listener(): DecidingListener {
    return {
      ready: () => this.#tell('caught-up'),
      resynced: () => this.#tell('resynced'),
      lapsed: () => {
        this.#counters.lapses += 1
        this.#tell('lapsed')
      },
      trouble: (error) => this.#tell('trouble', error),
      credentialObtained: () => this.#watchAgain(),
    }
  }
}

/** The token in an `Authorization` header, or what stands there instead; `undefined` when there is nothing. */
function presentedToken(credential: unknown): string | undefined {
  if (credential === undefined || credential === null || credential === '') return undefined
  if (typeof credential !== 'string') return NO_TOKEN
  return bearerToken(credential) ?? credential
}
