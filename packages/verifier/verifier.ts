import type { EventEmitter } from 'node:events'
import type { Position } from '@rescind/protocol'
import type { Expectations } from './core/index.ts'
import type { Verdict } from './verdict.ts'
import type { VerifierError } from './verifier-error.ts'

/** For logs and metrics; nothing has to be done about any of them. */
export interface VerifierEvents {
  /** Decides alone from now on, and could not before. */
  'caught-up': []
  /** Its lease ended: it asks the service, or decides nothing, until it is renewed. */
  lapsed: []
  /** The log of the service turned out to be another one, after a restore for example, and was united with what was known. */
  resynced: []
  /** Its own credential ends soon, in milliseconds since the epoch. Comes again as the end comes nearer. */
  expiring: [{ readonly expiresAtMs: number }]
  /** A connection could not be made, ended, or was given up. It connects again by itself. */
  trouble: [VerifierError]
}

export interface VerifierStatus {
  readonly mode: 'attached' | 'online'
  /** Whether it would decide alone now. */
  readonly deciding: boolean
  /** How much longer it would, if the service were gone; 0 when it does not. */
  readonly leaseLeftMs: number
  /** Length of the leases of the service; `null` as long as it is not known. */
  readonly leaseMs: number | null
  readonly connected: boolean
  /** The last entry of the revocation log that was applied. */
  readonly position: Position | null
  /** Entries that are known to exist and were not applied yet. */
  readonly lag: number
  /** When its own credential ends, in milliseconds since the epoch; `null` when that cannot be read from it. */
  readonly credentialExpiresAtMs: number | null
  readonly counters: VerifierCounters
}

/** Since the verifier was created. */
export interface VerifierCounters {
  readonly valid: number
  readonly rejected: number
  readonly undecided: number
  /** Questions put to the service; their outcomes are among the three above. */
  readonly asked: number
  /** Connections to the feed that were begun. */
  readonly connections: number
  readonly lapses: number
}

/** Verifies tokens in this process. */
export interface Verifier extends EventEmitter<VerifierEvents> {
  /**
   * The verdict on a token, now. While a lease holds this is a lookup in memory. Never rejects, whatever it is given.
   *
   * @param credential the value of an `Authorization` header (RFC 6750), or the token alone
   * @param expected what the token must be good for
   */
  verify(credential: unknown, expected?: Expectations): Promise<Verdict>

  status(): VerifierStatus

  /** Stops deciding, then says goodbye to the service, so that no revocation waits for this verifier. */
  close(): Promise<void>
}
