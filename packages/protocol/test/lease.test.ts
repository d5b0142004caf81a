import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  type HeldLease,
  type Instant,
  LEASE_SECONDS,
  leaseEndMs,
  permittedMs,
  renewalIntervalMs,
  silenceLimitMs,
  usefulLeases,
} from '@rescind/protocol'
import fc from 'fast-check'

/** Something that happens to the clocks of one process, at a true time. */
interface Disturbance {
  readonly atMs: number
  /** The monotonic clock stands still for so long, the wall clock goes on. */
  readonly suspendMs: number
  readonly stepWallMs: number
}

interface Process {
  readonly rate: number
  readonly startMs: number
  readonly disturbances: readonly Disturbance[]
}

/** Of true time. The fastest gains less than a tenth on the slowest. */
const rate = fc.double({ min: 0.954, max: 1.048, noNaN: true })
const leaseMs = fc.integer({ min: LEASE_SECONDS.least * 1_000, max: LEASE_SECONDS.most * 1_000 })
/** Parts of a lease. */
const part = fc.double({ min: 0, max: 1, noNaN: true })

const suspends = fc.record({ at: part, suspend: part, step: fc.double({ min: 0, max: 2, noNaN: true }) })
const steps = fc.record({ at: part, suspend: fc.constant(0), step: fc.double({ min: -2, max: 2, noNaN: true }) })

/** A process whose wall clock is set at will, or which is suspended at will: not one whose wall clock is set back over a suspend. */
function process(lengthMs: number): fc.Arbitrary<Process> {
  const either: fc.Arbitrary<{ at: number; suspend: number; step: number }[]>[] = [
    fc.array(suspends, { maxLength: 4 }),
    fc.array(steps, { maxLength: 4 }),
  ]
  const disturbances = fc.oneof(...either)
  return fc.record({ rate, startMs: fc.nat({ max: 1e9 }), disturbances }).map((made) => ({
    ...made,
    disturbances: made.disturbances.map(({ at, suspend, step }) => {
      return { atMs: at * lengthMs, suspendMs: suspend * lengthMs, stepWallMs: step * lengthMs }
    }),
  }))
}

/** What the clocks of a process show at a true time. */
function read({ rate: speed, startMs, disturbances }: Process, atMs: number): Instant {
  let asleepMs = 0
  let asleepUntilMs = 0
  let stepsMs = 0
  for (const { atMs: fromMs, suspendMs, stepWallMs } of disturbances.toSorted((a, b) => a.atMs - b.atMs)) {
    if (atMs < fromMs) break
    const untilMs = fromMs + suspendMs
    asleepMs += Math.max(0, Math.min(atMs, untilMs) - Math.max(fromMs, asleepUntilMs))
    asleepUntilMs = Math.max(asleepUntilMs, untilMs)
    stepsMs += stepWallMs
  }
  return { monotonicMs: startMs + speed * (atMs - asleepMs), wallMs: 1.8e12 + speed * atMs + stepsMs }
}

/** The true time from which the monotonic clock of a process is past `untilMs`, for good. */
function reaches(process: Process, fromMs: number, untilMs: number): number {
  let atMs = fromMs
  while (read(process, atMs).monotonicMs < untilMs) {
    atMs += Math.max(1e-3, (untilMs - read(process, atMs).monotonicMs) / process.rate)
  }
  return atMs
}

/** Later moments at which a lease could be looked at again. */
const laterParts = [0, 1e-6, 0.01, 0.1, 0.5, 1, 3]

describe('whatever clocks do', () => {
  test('a lease has ended for its holder before it has for whoever granted it', () => {
    const scene = leaseMs.chain((granted) =>
      fc.record({
        granted: fc.constant(granted),
        holder: process(granted),
        granter: process(granted),
        asked: part,
        toGranter: part,
      }),
    )
    fc.assert(
      fc.property(scene, ({ granted, holder, granter, asked, toGranter }) => {
        const askedMs = asked * granted
        const grantedAtMs = askedMs + toGranter * granted
        const lease: HeldLease = { since: read(holder, askedMs), grantedMs: granted, seq: 0 }
        const endMs = leaseEndMs(read(granter, grantedAtMs).monotonicMs, granted)
        const endedAtMs = reaches(granter, grantedAtMs, endMs)
        for (const later of laterParts) {
          assert.equal(permittedMs([lease], 0, read(holder, endedAtMs + later * granted)), 0)
        }
      }),
      { seed: 21, numRuns: 20_000 },
    )
  })

  test('a lease granted out of a lease has ended before both have, for whoever waits for either', () => {
    const scene = leaseMs.chain((granted) =>
      fc.record({
        granted: fc.constant(granted),
        verifier: process(granted),
        node: process(granted),
        waiter: process(granted),
        renewed: part,
        toRow: part,
        toWaiter: part,
        asked: part,
        toNode: part,
      }),
    )
    fc.assert(
      fc.property(scene, ({ granted, verifier, node, waiter, renewed, toRow, toWaiter, asked, toNode }) => {
        const renewedMs = renewed * granted
        const own: HeldLease = { since: read(node, renewedMs), grantedMs: granted, seq: 0 }
        // Whoever reads the row has to wait from then on, and reads it after the renewal was sent.
        const readMs = renewedMs + (toRow + toWaiter) * granted
        const askedMs = renewedMs + asked * granted
        const grantedAtMs = askedMs + (toNode * granted) / 4
        const left = Math.floor(permittedMs([own], 0, read(node, grantedAtMs)))
        fc.pre(left > 0)
        const lease: HeldLease = { since: read(verifier, askedMs), grantedMs: left, seq: 0 }
        const waitedOutMs = reaches(waiter, readMs, leaseEndMs(read(waiter, readMs).monotonicMs, granted))
        const givenUpMs = reaches(node, grantedAtMs, leaseEndMs(read(node, grantedAtMs).monotonicMs, left))
        for (const later of laterParts) {
          assert.equal(permittedMs([lease], 0, read(verifier, waitedOutMs + later * granted)), 0)
          assert.equal(permittedMs([lease], 0, read(verifier, givenUpMs + later * granted)), 0)
          assert.equal(permittedMs([own], 0, read(node, waitedOutMs + later * granted)), 0)
        }
      }),
      { seed: 22, numRuns: 20_000 },
    )
  })

  test('more than a quarter of a lease is left at every moment while the service can be reached', () => {
    const scene = fc.record({
      granted: leaseMs,
      node: rate,
      verifier: rate,
      // How long each answer takes, as a part of a fortieth of a lease.
      answers: fc.array(fc.tuple(part, part), { minLength: 30, maxLength: 30 }),
      offset: part,
    })
    fc.assert(
      fc.property(scene, ({ granted, node, verifier, answers, offset }) => {
        const everyMs = renewalIntervalMs(granted)
        const calm = (speed: number): Process => ({ rate: speed, startMs: 0, disturbances: [] })
        const [nodeClock, verifierClock] = [calm(node), calm(verifier)]
        const renewals = answers.map(([took], n) => {
          const sentMs = n * (everyMs / node + granted / 40)
          return { since: read(nodeClock, sentMs), arrivedMs: sentMs + (took * granted) / 40 }
        })
        let held: readonly HeldLease[] = []
        for (const [n, [, took]] of answers.entries()) {
          // The first request finds a node that has its lease.
          const askedMs = granted / 40 + offset * everyMs + n * (everyMs / verifier)
          const arrivesMs = askedMs + (took * granted) / 40
          if (n > 0) {
            const leftMs = permittedMs(held, 0, read(verifierClock, arrivesMs))
            assert.ok(leftMs > granted / 4, `${leftMs} of ${granted}`)
          }
          const own = renewals.findLast(({ arrivedMs }) => arrivedMs <= askedMs)
          assert.ok(own)
          const lease: HeldLease = { since: own.since, grantedMs: granted, seq: 0 }
          const grantedMs = Math.floor(permittedMs([lease], 0, read(nodeClock, askedMs)))
          held = usefulLeases(
            [...held, { since: read(verifierClock, askedMs), grantedMs, seq: 0 }],
            0,
            read(verifierClock, arrivesMs),
          )
        }
      }),
      { seed: 23, numRuns: 2_000 },
    )
  })
})

const lease = fc.record({
  ageMs: fc.nat({ max: 40_000 }),
  grantedMs: fc.integer({ min: 1, max: 40_000 }),
  seq: fc.nat({ max: 6 }),
})

function held(leases: readonly { ageMs: number; grantedMs: number; seq: number }[]): HeldLease[] {
  return leases.map(({ ageMs, grantedMs, seq }) => {
    return { since: { monotonicMs: -ageMs, wallMs: -ageMs }, grantedMs, seq }
  })
}

test('a lease permits its holder to decide for as long as the longest of those whose entries were applied', () => {
  fc.assert(
    fc.property(fc.array(lease), fc.nat({ max: 7 }), (leases, appliedSeq) => {
      const left = leases.filter(({ seq }) => seq <= appliedSeq).map(({ ageMs, grantedMs }) => grantedMs * 0.8 - ageMs)
      assert.equal(permittedMs(held(leases), appliedSeq, { monotonicMs: 0, wallMs: 0 }), Math.max(0, ...left))
    }),
    { seed: 24, numRuns: 1_000 },
  )
})

test('the leases that are kept permit exactly as much as all of them would, now and later, and whatever is applied', () => {
  fc.assert(
    fc.property(fc.array(lease), fc.nat({ max: 7 }), (leases, appliedSeq) => {
      const all = held(leases)
      const kept = usefulLeases(all, appliedSeq, { monotonicMs: 0, wallMs: 0 })
      for (const laterMs of [0, 1, 500, 7_000, 20_000, 32_000]) {
        const later = { monotonicMs: laterMs, wallMs: laterMs }
        for (let seq = appliedSeq; seq <= 7; seq++) {
          assert.equal(permittedMs(kept, seq, later), permittedMs(all, seq, later))
        }
      }
      assert.ok(kept.filter(({ seq }) => seq <= appliedSeq).length <= 1)
      for (const { since, grantedMs } of kept) assert.ok(grantedMs * 0.8 + since.monotonicMs > 0, 'none has lapsed')
    }),
    { seed: 25, numRuns: 1_000 },
  )
})

test('a renewal that got lost is noticed, and there is time for another', () => {
  for (const seconds of [LEASE_SECONDS.least, LEASE_SECONDS.usual, LEASE_SECONDS.most]) {
    const granted = seconds * 1_000
    assert.ok(renewalIntervalMs(granted) <= granted / 8)
    assert.ok(silenceLimitMs(granted) > renewalIntervalMs(granted))
    assert.ok(renewalIntervalMs(granted) + silenceLimitMs(granted) < granted * 0.8)
  }
})
