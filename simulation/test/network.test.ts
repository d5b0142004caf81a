import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import type { FeedSocket } from '@rescind/protocol'
import { type ConnectListener, Network, Unreachable } from '../network.ts'
import { FAULTLESS } from '../network-faults.ts'
import { SimulatedProcess } from '../process.ts'
import { Random } from '../random.ts'
import { Scheduler } from '../scheduler.ts'

let scheduler: Scheduler
let network: Network
let a: SimulatedProcess
let b: SimulatedProcess

beforeEach(() => {
  scheduler = new Scheduler()
  const random = new Random(1)
  network = new Network(scheduler, random)
  a = new SimulatedProcess(scheduler, random, 'a')
  b = new SimulatedProcess(scheduler, random, 'b')
})

/** One end of a connection, which remembers what it heard: messages, and the code it was closed with. */
class End implements ConnectListener {
  socket: FeedSocket | undefined
  readonly heard: (string | number)[] = []

  opened(socket: FeedSocket): void {
    this.socket = socket
  }
  received(message: string | Uint8Array): void {
    this.heard.push(String(message))
  }
  closed(code: number): void {
    this.heard.push(code)
  }
}

/** Connects `a` to `b`. */
async function connected(): Promise<{ caller: End; acceptor: End }> {
  const ends = { caller: new End(), acceptor: new End() }
  network.listen(b, (socket) => {
    ends.acceptor.socket = socket
    return ends.acceptor
  })
  network.connect(a, b, ends.caller)
  await scheduler.runUntil(scheduler.nowMs + 20)
  return ends
}

test('messages arrive in order, in both directions', async () => {
  const { caller, acceptor } = await connected()
  const sent = Array.from({ length: 100 }, (_, each) => String(each))
  for (const message of sent) {
    caller.socket?.send(message)
    acceptor.socket?.send(message)
  }
  await scheduler.run()
  assert.deepEqual([caller.heard, acceptor.heard], [sent, sent])
})

test('a link drops, repeats and reorders messages as often as it is told to, and every fault is counted', async () => {
  const { caller, acceptor } = await connected()
  const struck: string[] = []
  network.onFault = (fault, fromId, toId) => struck.push(`${fault} ${fromId} ${toId}`)
  network.behave({ ...FAULTLESS, dropChance: 0.1, duplicateChance: 0.1, reorderChance: 0.1, delayChance: 0.1 })
  for (let message = 0; message < 1_000; message++) caller.socket?.send(String(message))
  await scheduler.run()
  const { dropped, duplicated, reordered, delayed } = network.counters
  for (const count of [dropped, duplicated, reordered, delayed]) assert.ok(count > 60 && count < 140, String(count))
  assert.equal(acceptor.heard.length, 1_000 - dropped + duplicated)
  assert.ok(acceptor.heard.some((message, at) => Number(message) < Number(acceptor.heard[at - 1] ?? 0)))
  assert.equal(struck.length, dropped + duplicated + reordered + delayed)
  assert.ok(struck.includes('dropped a b'))
})

test('nothing passes a cut link, and connecting over it times out', async () => {
  const { caller, acceptor } = await connected()
  network.partition('a', 'b', 'one')
  caller.socket?.send('lost')
  acceptor.socket?.send('passes')
  const late = new End()
  network.connect(a, b, late)
  await scheduler.runUntil(scheduler.nowMs + 1_000)
  assert.deepEqual([caller.heard, acceptor.heard, late.heard], [['passes'], [], []])
  await scheduler.run()
  assert.deepEqual(late.heard, [1006])
  network.heal('a', 'b')
  caller.socket?.send('again')
  await scheduler.run()
  assert.deepEqual(acceptor.heard, ['again'])
})

test('one end of a half-open connection is told, the other hears nothing ever again', async () => {
  const { caller, acceptor } = await connected()
  const [connection] = network.connections
  caller.socket?.send('on its way')
  connection?.halfOpen('caller')
  acceptor.socket?.send('never heard')
  caller.socket?.send('nor this')
  await scheduler.run()
  assert.deepEqual([caller.heard, acceptor.heard], [[1006], []])
  acceptor.socket?.destroy()
  await scheduler.run()
  assert.deepEqual(acceptor.heard, [1006])
  assert.equal(network.connections.size, 0)
})

test('what was sent before a close arrives, then both ends hear its code and nothing more', async () => {
  const { caller, acceptor } = await connected()
  caller.socket?.send('last')
  caller.socket?.close(1001)
  caller.socket?.send('too late')
  acceptor.socket?.send('on its way')
  await scheduler.run()
  assert.deepEqual(acceptor.heard, ['last', 1001])
  assert.deepEqual(caller.heard, ['on its way', 1001])
})

test('an end whose close is not answered breaks off by itself', async () => {
  const { caller } = await connected()
  network.partition('a', 'b')
  caller.socket?.close(1000)
  await scheduler.run()
  assert.deepEqual(caller.heard, [1006])
})

test('the connections of a process that ended break, or hear of it never', async () => {
  const { caller } = await connected()
  b.end()
  await scheduler.run()
  assert.deepEqual(caller.heard, [1006])

  b = new SimulatedProcess(scheduler, new Random(2), 'b')
  const second = await connected()
  network.behave({ ...FAULTLESS, closeLossChance: 1 })
  b.end()
  await scheduler.run()
  assert.deepEqual(second.caller.heard, [])
  assert.equal(network.counters.close_lost, 1)
})

test('nobody is connected to a process that does not listen, or has ended', async () => {
  for (const end of [() => {}, () => b.end()]) {
    end()
    const attempt = new End()
    network.connect(a, b, attempt)
    await scheduler.run()
    assert.deepEqual(attempt.heard, [1006])
  }
})

test('whoever gives up connecting is never connected, and the other end breaks', async () => {
  const acceptor = new End()
  const attempt = new End()
  network.listen(b, () => acceptor)
  b.suspend(0, 100, 'process')
  const giveUp = network.connect(a, b, attempt)
  scheduler.at(50, giveUp)
  await scheduler.run()
  assert.deepEqual([attempt.heard, attempt.socket, acceptor.heard], [[1006], undefined, [1006]])
})

test('messages to a suspended process wait, and pile up at the sender', async () => {
  const { caller, acceptor } = await connected()
  b.suspend(scheduler.nowMs, scheduler.nowMs + 500, 'process')
  const message = 'x'.repeat(100_000)
  scheduler.after(1, () => {
    for (let each = 0; each < 5; each++) caller.socket?.send(message)
  })
  await scheduler.runUntil(scheduler.nowMs + 100)
  assert.equal(acceptor.heard.length, 0)
  assert.equal(caller.socket?.bufferedBytes, 500_000 - 256 * 1024)
  await scheduler.run()
  assert.equal(acceptor.heard.length, 5)
  assert.equal(caller.socket?.bufferedBytes, 0)
})

test('what a stalled process sends leaves when it goes on', async () => {
  const { caller, acceptor } = await connected()
  const fromMs = scheduler.nowMs
  a.deliver(() => {
    a.stall(1_000)
    caller.socket?.send('late')
  })
  await scheduler.runUntil(fromMs + 999)
  assert.deepEqual(acceptor.heard, [])
  await scheduler.run()
  assert.deepEqual(acceptor.heard, ['late'])
})

test('a question is answered, or ends when no answer can come', async () => {
  const ask = (serve: () => Promise<string>) => {
    let outcome: unknown = 'nothing yet'
    const settled = (value: unknown) => {
      outcome = value
    }
    network.request(a, b, serve, 100).then(settled, settled)
    return scheduler.run().then(() => outcome)
  }
  assert.equal(await ask(async () => 'answer'), 'answer')
  assert.match(String(await ask(() => Promise.reject(new Error('refused')))), /refused/)
  assert.ok((await ask(() => new Promise(() => {}))) instanceof Unreachable)
  network.partition('b', 'a', 'one')
  assert.ok((await ask(async () => 'lost')) instanceof Unreachable)
  b.end()
  network.heal('a', 'b')
  assert.ok((await ask(async () => 'nobody there')) instanceof Unreachable)
})
