import type { Clocks } from './clock.ts'

/**
 * Lease arithmetic. Whoever grants or waits for a lease to end counts its full length on its own monotonic clock, from
 * after the grant was made; whoever holds it counts from before it asked, on whichever of its clocks is ahead, and uses
 * {@link USABLE_SHARE} of it. So a lease has ended for its holder before it has ended for anybody who waits for that, as
 * long as the rates of their clocks differ by less than a tenth.
 */

export const LEASE_SECONDS = { least: 2, most: 300, usual: 30 } as const

const USABLE_SHARE = 0.8
const RENEWALS_PER_LEASE = 8
const LONGEST_RENEWAL_MS = 5_000

/** One moment, on both clocks of a process. */
export interface Instant {
  readonly monotonicMs: number
  readonly wallMs: number
}

/** Permission to decide alone. */
export interface HeldLease {
  /** When it was asked for, not when it came. */
  readonly since: Instant
  /** As granted. */
  readonly grantedMs: number
  /** It permits nothing before its holder has applied this entry. */
  readonly seq: number
}

export function instantOf(clocks: Clocks): Instant {
  return { monotonicMs: clocks.monotonicMs(), wallMs: clocks.nowMs() }
}

/** For holders: the monotonic clock may have stood still, the wall clock may have been set back; the larger of the two counts. */
function elapsedMs(since: Instant, now: Instant): number {
  return Math.max(now.monotonicMs - since.monotonicMs, now.wallMs - since.wallMs)
}

/** How much longer the holder may use a lease; zero or less when it has lapsed. */
function leaseLeftMs(lease: HeldLease, now: Instant): number {
  return lease.grantedMs * USABLE_SHARE - elapsedMs(lease.since, now)
}

/** Whether a lease permits its holder, who has applied the log up to `appliedSeq`, to decide at `now`. */
function permits(lease: HeldLease, appliedSeq: number, now: Instant): boolean {
  return appliedSeq >= lease.seq && leaseLeftMs(lease, now) > 0
}

/**
 * How much longer one of several leases permits their holder to decide; zero when none does. A renewed lease may name
 * entries that are still to come, so the ones before it are held until those were applied.
 */
export function permittedMs(leases: readonly HeldLease[], appliedSeq: number, now: Instant): number {
  let longestMs = 0
  for (const lease of leases) {
    if (permits(lease, appliedSeq, now)) longestMs = Math.max(longestMs, leaseLeftMs(lease, now))
  }
  return longestMs
}

/** The leases worth keeping: the one that permits for the longest now, and those that will permit once more was applied. */
export function usefulLeases(leases: readonly HeldLease[], appliedSeq: number, now: Instant): readonly HeldLease[] {
  const longestMs = permittedMs(leases, appliedSeq, now)
  const longest = leases.findLast((lease) => permits(lease, appliedSeq, now) && leaseLeftMs(lease, now) === longestMs)
  return leases.filter((lease) => lease === longest || (lease.seq > appliedSeq && leaseLeftMs(lease, now) > 0))
}

/**
 * For granters and waiters: when a lease that is granted, or seen, at `monotonicMs` of their own clock has certainly ended.
 */
export function leaseEndMs(monotonicMs: number, grantedMs: number): number {
  return monotonicMs + grantedMs
}

/** How often a lease of this length is renewed. The same messages are the heartbeats of a connection. */
export function renewalIntervalMs(leaseMs: number): number {
  return Math.min(leaseMs / RENEWALS_PER_LEASE, LONGEST_RENEWAL_MS)
}

/** How long a verifier waits for an answer before it takes its connection for dead. */
export function silenceLimitMs(leaseMs: number): number {
  return Math.max(2 * renewalIntervalMs(leaseMs), 500)
}
