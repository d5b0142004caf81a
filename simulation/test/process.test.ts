import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { SimulatedProcess } from '../process.ts'
import { RATES } from '../process-clock.ts'
import { Random } from '../random.ts'
import { Scheduler } from '../scheduler.ts'

let scheduler: Scheduler
let process: SimulatedProcess

beforeEach(() => {
  scheduler = new Scheduler()
  process = new SimulatedProcess(scheduler, new Random(1), 'p')
})

test('the rates of any two clocks differ by less than a tenth, also while they drift', async () => {
  assert.ok(RATES[1] / RATES[0] < 1.1)
  const random = new Random(5)
  for (let each = 0; each < 50; each++) {
    const { clock } = new SimulatedProcess(scheduler, random, `p${each}`)
    const before = { atMs: scheduler.nowMs, monotonicMs: clock.monotonicMs(), wallMs: clock.nowMs() }
    await scheduler.runUntil(scheduler.nowMs + 1_000)
    clock.drift()
    await scheduler.runUntil(scheduler.nowMs + 1_000)
    for (const gainedMs of [clock.monotonicMs() - before.monotonicMs, clock.nowMs() - before.wallMs]) {
      const rate = gainedMs / (scheduler.nowMs - before.atMs)
      assert.ok(rate > RATES[0] - 0.001 && rate < RATES[1] + 0.001, String(rate))
    }
  }
})

test('a timer fires at its time on the monotonic clock or later, whatever the clock does meanwhile', async () => {
  for (let round = 0; round < 100; round++) {
    const startMs = process.clock.monotonicMs()
    const { promise, resolve } = Promise.withResolvers<number>()
    process.timers.after(100, () => resolve(process.clock.monotonicMs() - startMs))
    scheduler.after(50, () => process.clock.drift())
    await scheduler.runUntil(scheduler.nowMs + 200)
    const waitedMs = await promise
    assert.ok(waitedMs >= 100 && waitedMs < 110, String(waitedMs))
  }
})

test('a cancelled timer does not fire, not even when it was due already', async () => {
  const cancel = process.timers.after(10, () => assert.fail('cancelled'))
  process.deliver(() => {})
  process.suspend(5, 50, 'process')
  scheduler.at(30, cancel)
  await scheduler.run()
})

test('both clocks of a process that is stopped go on, and what was due meanwhile happens in order of its time', async () => {
  const fired: number[] = []
  for (const delayMs of [30, 10, 20, 400]) process.timers.after(delayMs, () => fired.push(delayMs))
  const monotonicMs = process.clock.monotonicMs()
  process.suspend(5, 200, 'process')
  await scheduler.runUntil(199)
  assert.deepEqual(fired, [])
  assert.equal(process.running, false)
  await scheduler.runUntil(201)
  assert.deepEqual(fired, [10, 20, 30])
  assert.ok(process.clock.monotonicMs() - monotonicMs > 150)
})

test('the monotonic clock stands still while the machine is suspended, the wall clock does not', async () => {
  let firedMs = 0
  process.timers.after(50, () => {
    firedMs = scheduler.nowMs
  })
  const monotonicMs = process.clock.monotonicMs()
  const wallMs = process.clock.nowMs()
  process.suspend(10, 1_010, 'machine')
  await scheduler.runUntil(1_010.5)
  assert.ok(process.clock.monotonicMs() - monotonicMs < 12)
  assert.ok(process.clock.nowMs() - wallMs > 900)
  await scheduler.run()
  assert.ok(firedMs > 1_045, String(firedMs))
})

test('what comes while a process is suspended waits, each lane in order, the lanes in any order', async () => {
  const orders = new Set<string>()
  for (let seed = 0; seed < 30; seed++) {
    scheduler = new Scheduler()
    process = new SimulatedProcess(scheduler, new Random(seed), 'p')
    const came: string[] = []
    process.suspend(0, 100, 'process')
    for (const [atMs, lane, what] of [
      [10, 1, 'a1'],
      [20, 2, 'b1'],
      [30, 1, 'a2'],
      [40, 2, 'b2'],
    ] as const) {
      scheduler.at(atMs, () => process.deliver(() => came.push(what), lane))
    }
    await scheduler.run()
    assert.equal(came.length, 4)
    assert.ok(came.indexOf('a1') < came.indexOf('a2') && came.indexOf('b1') < came.indexOf('b2'))
    orders.add(came.join())
  }
  assert.ok(orders.size > 2)
})

test('a process that stalls does what follows later, and nothing else before that', async () => {
  const seen: string[] = []
  process.deliver(() => {
    const readMs = process.clocks.monotonicMs()
    process.stall(500)
    seen.push(`stalled until ${process.trueMs}`)
    assert.ok(process.clocks.monotonicMs() - readMs > 450)
  })
  scheduler.at(100, () => process.deliver(() => seen.push(`delivered at ${scheduler.nowMs}`)))
  await scheduler.run()
  assert.deepEqual(seen, ['stalled until 500', 'delivered at 500'])
})

test('nothing happens in a process that has ended', async () => {
  process.timers.after(50, () => assert.fail('a timer fired'))
  process.suspend(5, 100, 'process')
  scheduler.at(20, () => process.deliver(() => assert.fail('delivered')))
  scheduler.at(60, () => process.end())
  scheduler.at(150, () => process.deliver(() => assert.fail('delivered')))
  let ended = 0
  process.onEnd(() => ended++)
  await scheduler.run()
  assert.equal(ended, 1)
})

test('what a stalled process has done is done before it can end', async () => {
  process.deliver(() => process.stall(100))
  let endedMs = 0
  process.onEnd(() => {
    endedMs = scheduler.nowMs
  })
  scheduler.at(50, () => process.end())
  await scheduler.run()
  assert.equal(endedMs, 100)
})
