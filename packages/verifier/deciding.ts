import type { Position, Verdict } from '@rescind/protocol'
import type { Expectations, Undecided } from './core/index.ts'
import type { VerifierError } from './verifier-error.ts'

/** What a verifier decides by itself, in either mode. */
export interface Deciding {
  start(): void
  verify(token: string, expected?: Expectations): Verdict | Undecided
  /** Makes a new connection with a new credential; what has been granted stays. */
  reconnect(): void
  /** Resolves when the service has heard that this verifier decides no more, or cannot be told. */
  close(): Promise<void>
  /** What the service calls itself in its tokens, as far as it has said. */
  readonly issuer: string | undefined
  readonly leaseMs: number | null
  readonly leaseLeftMs: number
  readonly isConnected: boolean
  readonly position: Position | null
  /** Entries that are known to exist and were not applied yet. */
  readonly lag: number
  /** Connections that were begun. */
  readonly connections: number
}

export interface DecidingListener {
  /** Verifications can be decided, here or by asking, and could not before. */
  ready(): void
  lapsed(): void
  resynced(): void
  /** A connection failed, or was given up. */
  trouble(error: VerifierError): void
  /** A credential was obtained. */
  credentialObtained(): void
}
