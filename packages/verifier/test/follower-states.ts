import type { HeldLease, Instant } from '@rescind/protocol'
import { type FollowerState, INITIAL_FOLLOWER, mayDecide } from '../core/follower.ts'
import { LogFixture } from './log-fixture.ts'
import { EPOCH, ISSUER } from './mint.ts'

/** What tells the states of a follower apart, its leases aside. */
export interface Stand {
  readonly phase: FollowerState['phase']
  /** `new`: the service was never heard. `home`: it was, and nothing was applied. */
  readonly applied: 'new' | 'home' | 'placed' | 'diverged'
  readonly isAsking: boolean
  readonly isDownloading: boolean
}

export const LOG = new LogFixture()
export const LEASE_MS = 30_000
export const HOME = { epoch: EPOCH, issuer: ISSUER, tokenPrefix: 'dz_', leaseMs: LEASE_MS }
export const NOW: Instant = { monotonicMs: 5_000_000, wallMs: 1_893_456_000_000 }
/** When a renewal is due, and when the service has been silent for too long, after {@link NOW}. */
export const RENEWAL_AFTER_MS = 100
export const SILENCE_AFTER_MS = 500

const ASKED_MS = 1_000
const SEQ = 2
const SNAPSHOT_SEQ = 5

/** The leases a follower may have. Those that name an entry name the last one applied, or the next. */
export const LEASES = {
  none: [],
  holds: [lease(SEQ)],
  waits: [lease(SEQ + 1)],
  both: [lease(SEQ), lease(SEQ + 1)],
  lapsed: [lease(SEQ, LEASE_MS)],
} as const satisfies Record<string, readonly HeldLease[]>

export type LeaseKind = keyof typeof LEASES

export const LEASE_KINDS = Object.keys(LEASES) as readonly LeaseKind[]

function lease(seq: number, agoMs = ASKED_MS): HeldLease {
  const since = { monotonicMs: NOW.monotonicMs - agoMs, wallMs: NOW.wallMs - agoMs }
  return { since, grantedMs: LEASE_MS, seq }
}

const LETTERS: Record<FollowerState['phase'], string> = {
  idle: 'idle',
  connecting: 'C',
  greeting: 'G',
  following: 'F',
  waiting: 'W',
  closed: 'closed',
}

/** The short name of a state: its phase, what was applied, and whether it is asking for a lease (a) or downloading a snapshot (s). */
export function nameOf({ phase, applied, isAsking, isDownloading }: Stand): string {
  if (phase === 'idle' || phase === 'closed') return phase
  return LETTERS[phase] + applied.charAt(0) + (isAsking ? 'a' : '') + (isDownloading ? 's' : '')
}

export function standOf(state: FollowerState): Stand {
  const known = state.home === null ? 'new' : 'home'
  return {
    phase: state.phase,
    applied: state.diverged ? 'diverged' : state.position === null ? known : 'placed',
    isAsking: state.asked !== null,
    isDownloading: state.download !== null,
  }
}

/** Every state there is, by its short name. */
export const STANDS: ReadonlyMap<string, Stand> = new Map(allStands().map((stand) => [nameOf(stand), stand]))

function allStands(): Stand[] {
  const plain = { applied: 'new', isAsking: false, isDownloading: false } as const
  const stands: Stand[] = [
    { phase: 'idle', ...plain },
    { phase: 'closed', ...plain },
  ]
  for (const phase of ['waiting', 'connecting', 'greeting'] as const) {
    for (const applied of ['new', 'home', 'placed', 'diverged'] as const) stands.push({ ...plain, phase, applied })
  }
  for (const applied of ['home', 'placed', 'diverged'] as const) {
    for (const isAsking of [false, true]) {
      for (const isDownloading of [false, true]) {
        stands.push({ phase: 'following', applied, isAsking, isDownloading })
      }
    }
  }
  return stands
}

/** A state of this kind at {@link NOW}. */
export function stateOf({ phase, applied, isAsking, isDownloading }: Stand, leases: LeaseKind): FollowerState {
  if (phase === 'idle') return INITIAL_FOLLOWER
  const { bytes, sha256, position } = LOG.snapshot(SNAPSHOT_SEQ)
  const half = bytes.subarray(0, bytes.length >> 1)
  const download = { position, bytes: bytes.length, sha256, pieces: [half], received: half.length }
  const state: FollowerState = {
    phase,
    connection: 7,
    verifierIds: applied === 'new' ? [] : [EPOCH],
    home: applied === 'new' ? null : HOME,
    position: applied === 'placed' ? LOG.position(SEQ) : null,
    leases: LEASES[leases],
    asked: isAsking ? { nonce: 4, since: lease(SEQ).since } : null,
    nonce: 4,
    renewAtMs: NOW.monotonicMs + RENEWAL_AFTER_MS,
    deadlineMs: NOW.monotonicMs + SILENCE_AFTER_MS,
    failures: 0,
    download: isDownloading ? download : null,
    diverged: applied === 'diverged',
    deciding: false,
  }
  return { ...state, deciding: mayDecide(state, NOW) }
}
