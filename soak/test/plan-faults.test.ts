import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CRASHES, FAULT_KIND_LIST, FAULT_KINDS, type FaultKind } from '../faults/fault-kinds.ts'
import { type PlannedFault, planFaults } from '../faults/plan-faults.ts'
import { roundOfFaults } from '../faults/round-of-faults.ts'
import { createRandom } from '../random.ts'

const LEASE_MS = 2_000
const ROUNDS = 50
const COUNTS = { verifier: 8, link: 8, service: 3, database: 1, 'database link': 3 }

function planned(seed: number): PlannedFault[] {
  const plan = planFaults(createRandom(seed), { round: FAULT_KIND_LIST, counts: COUNTS, leaseMs: LEASE_MS })
  return Array.from({ length: ROUNDS * FAULT_KIND_LIST.length }, () => plan.next().value ?? assert.fail())
}

test('the same seed plans the same faults, and another seed others', () => {
  assert.deepEqual(planned(7), planned(7))
  assert.notDeepEqual(planned(7), planned(8))
})

test('every kind of fault strikes equally often, on every target', () => {
  const faults = planned(1)
  for (const kind of FAULT_KIND_LIST) {
    const struck = faults.filter((fault) => fault.kind === kind)
    assert.equal(struck.length, ROUNDS)
    const targets = new Set(struck.map(({ target }) => target))
    assert.equal(targets.size, COUNTS[FAULT_KINDS[kind]])
  }
})

test('faults strike in order, and what one takes hold of is free', () => {
  const freeFromMs = new Map<string, number>()
  let lastMs = 0
  for (const { kind, target, atMs, lastsMs } of planned(2)) {
    assert.ok(atMs >= lastMs)
    lastMs = atMs
    const key = `${FAULT_KINDS[kind]} ${target}`
    assert.ok(atMs >= (freeFromMs.get(key) ?? 0))
    freeFromMs.set(key, atMs + lastsMs)
  }
})

test('verifiers are stopped for half a lease to three, some for less than a lease and some for more', () => {
  const stopped = planned(3).filter(({ kind }) => kind === 'verifier_stopped')
  for (const { lastsMs } of stopped) assert.ok(lastsMs >= LEASE_MS / 2 && lastsMs < 3 * LEASE_MS)
  assert.ok(stopped.some(({ lastsMs }) => lastsMs < 0.8 * LEASE_MS))
  assert.ok(stopped.some(({ lastsMs }) => lastsMs > 2 * LEASE_MS))
})

test('what crashes is back within three quarters of a lease', () => {
  for (const { kind, lastsMs } of planned(4)) if (CRASHES.has(kind)) assert.ok(lastsMs < 0.75 * LEASE_MS, kind)
})

test('a kind that is named more often strikes more often', () => {
  const round = ['service_killed', 'service_killed', 'failover'] as const
  const plan = planFaults(createRandom(5), { round, counts: COUNTS, leaseMs: LEASE_MS })
  const faults = Array.from({ length: 30 }, () => plan.next().value ?? assert.fail())
  assert.equal(faults.filter(({ kind }) => kind === 'failover').length, 10)
})

test('a round has every kind that there is something to take hold of', () => {
  assert.deepEqual(new Set(roundOfFaults(COUNTS)), new Set(FAULT_KIND_LIST))
  const alone = roundOfFaults({ ...COUNTS, service: 1, database: 0, 'database link': 0 })
  const isOfDatabase = (kind: FaultKind) => FAULT_KINDS[kind].startsWith('database')
  assert.deepEqual(
    alone,
    FAULT_KIND_LIST.filter((kind) => !isOfDatabase(kind)),
  )
})
