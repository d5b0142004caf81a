import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import { type Entry, genesis, nextEntry, type Position } from '@rescind/protocol'
import { ManualTime } from '../../../protocol/test/manual-time.ts'
import { LogTail } from '../../storage/postgres/log-tail.ts'
import { UnexpectedResult } from '../../storage/sql/statement.ts'
import { numbers } from './fixtures.ts'

const POLL_MS = 250
const EPOCH = randomUUID()

/** A chain of entries; two with another `from` differ from the first one on. */
function chain(length: number, from = 0, before: readonly Entry[] = []): Entry[] {
  const entries = [...before]
  for (let i = before.length; i < length; i += 1) {
    entries.push(nextEntry(positionAfter(entries), { kind: 'token_revoked', idx: from + i }, 1))
  }
  return entries
}

function positionAfter(entries: readonly Entry[]): Position {
  const last = entries.at(-1)
  return last ? { epoch: EPOCH, seq: last.seq, hash: last.hash } : genesis(EPOCH)
}

/** A tail of a log that the test writes. */
class World {
  readonly time = new ManualTime()
  readonly delivered: number[] = []
  readonly failures: string[] = []
  readonly troubles: string[] = []
  reads = 0
  log: readonly Entry[] = []
  /** What reading does before it answers. */
  onRead = async (): Promise<void> => {}
  deliver = (entries: readonly Entry[]): void => {
    this.delivered.push(...entries.map(({ seq }) => seq))
  }
  readonly tail = new LogTail({
    read: async (afterSeq, limit) => {
      this.reads += 1
      const read = this.log.filter(({ seq }) => seq > afterSeq).slice(0, limit)
      await this.onRead()
      return read
    },
    timers: this.time,
    failed: (cause) => this.failures.push(String(cause)),
    onTrouble: (error) => this.troubles.push(String(error)),
  })

  follow(): Promise<void> {
    return this.tail.follow(genesis(EPOCH), (entries) => this.deliver(entries))
  }

  /** What comes of a transaction that has appended these. */
  commit(entries: readonly Entry[]): Promise<void> {
    return this.tail.committed({ head: positionAfter(entries), entries })
  }
}

describe('the tail of a log', () => {
  test('finds what others append by looking alone, every 250 ms, and takes a hint', async () => {
    const world = new World()
    await world.follow()
    for (const length of numbers(5).map((i) => i + 1)) {
      world.log = chain(length)
      await world.time.settle(POLL_MS - 1)
      assert.equal(world.delivered.length, length - 1)
      await world.time.settle(1)
      assert.equal(world.delivered.length, length)
    }
    world.log = chain(6)
    world.tail.wake()
    await world.time.settle()
    assert.deepEqual(world.delivered, [1, 2, 3, 4, 5, 6])
    assert.deepEqual(world.troubles, [])
  })

  test('reads a long log in pieces, and a hint that comes meanwhile is not lost', async () => {
    const world = new World()
    world.log = chain(2500)
    world.onRead = async () => {
      world.onRead = async () => {}
      world.log = chain(2600, 0, world.log)
      world.tail.wake()
    }
    await world.follow()
    assert.deepEqual(
      world.delivered,
      numbers(2600).map((i) => i + 1),
    )
  })

  for (const turns of numbers(30)) {
    test(`has handed on what was committed when it says so, also when it is asked ${turns} turns after a look has its answer`, async () => {
      const world = new World()
      world.log = chain(1)
      const answered = Promise.withResolvers<void>()
      world.onRead = () => answered.promise
      const following = world.follow()
      world.onRead = async () => {}
      answered.resolve()
      for (const _ of numbers(turns)) await undefined
      // Somebody else has appended the second entry.
      world.log = chain(3)
      await world.commit(world.log.slice(2))
      assert.deepEqual(world.delivered, [1, 2, 3])
      await following
      assert.deepEqual(world.failures, [])
    })
  }

  test('hands on what this process committed at once, and nothing twice that a look under way brings as well', async () => {
    const world = new World()
    await world.follow()
    const answered = Promise.withResolvers<void>()
    world.log = chain(2)
    world.onRead = () => answered.promise
    world.tail.wake()
    await world.commit(world.log)
    assert.deepEqual(world.delivered, [1, 2])
    world.onRead = async () => {}
    answered.resolve()
    await world.time.settle(POLL_MS)
    assert.deepEqual(world.delivered, [1, 2])
    assert.deepEqual(world.failures, [])
  })

  for (const [what, change] of Object.entries({
    'became shorter': (log: readonly Entry[]) => log.slice(0, 3),
    'is gone': () => [],
    'ends in another entry': (log: readonly Entry[]) => chain(5, 100, log.slice(0, 4)),
    'is another one of the same length': () => chain(5, 100),
    'is another one that is longer': () => chain(9, 100),
    'has a gap': (log: readonly Entry[]) => chain(8, 0, log).filter(({ seq }) => seq !== 6),
    'goes on with what does not continue it': (log: readonly Entry[]) => [...log, ...chain(7, 100).slice(5)],
  })) {
    test(`ends with a failure at the next look when the log ${what}`, async () => {
      const world = new World()
      world.log = chain(5)
      await world.follow()
      world.log = change(world.log)
      await world.time.settle(POLL_MS)
      assert.equal(world.failures.length, 1)
      assert.match(
        world.failures[0] ?? '',
        /another history than the one that was followed up to entry 5: .* new epoch/,
      )
      assert.equal(world.time.pending, 0)
      world.log = chain(9)
      world.tail.wake()
      await world.time.settle(10 * POLL_MS)
      assert.deepEqual(world.delivered, [1, 2, 3, 4, 5])
    })
  }

  test('never says that an entry was handed on in place of which there was another', async () => {
    const world = new World()
    world.log = chain(5)
    await world.follow()
    const own = chain(5, 100).slice(4)
    await assert.rejects(world.commit(own), /another history/)
    assert.equal(world.failures.length, 1)
    assert.deepEqual(world.delivered, [1, 2, 3, 4, 5])
  })

  test('tries again what could not be read, and meanwhile acknowledges nothing', async () => {
    const world = new World()
    await world.follow()
    world.log = chain(3)
    world.onRead = () => Promise.reject(new Error('away'))
    await assert.rejects(world.commit(world.log.slice(1)), /away/)
    await world.time.settle(3 * POLL_MS)
    assert.deepEqual(world.delivered, [])
    assert.deepEqual(world.troubles, Array(3).fill('Error: away'))
    world.onRead = async () => {}
    await world.time.settle(POLL_MS)
    assert.deepEqual(world.delivered, [1, 2, 3])
    assert.deepEqual(world.failures, [])
  })

  test('ends with a failure when an entry cannot be read by this version, and when the follower throws', async () => {
    const unreadable = new World()
    await unreadable.follow()
    unreadable.onRead = () => Promise.reject(new UnexpectedResult('newer'))
    await unreadable.time.settle(POLL_MS)
    assert.match(unreadable.failures[0] ?? '', /newer/)
    assert.equal(unreadable.time.pending, 0)

    const throwing = new World()
    await throwing.follow()
    throwing.log = chain(2)
    throwing.deliver = () => {
      throw new Error('cannot apply')
    }
    await assert.rejects(throwing.commit(throwing.log), /cannot apply/)
    assert.deepEqual(throwing.failures, ['Error: cannot apply'])
    assert.equal(throwing.time.pending, 0)
  })

  test('that is stopped looks no more, and hands on nothing that is still on its way', async () => {
    const world = new World()
    await world.follow()
    const answered = Promise.withResolvers<void>()
    world.log = chain(1)
    world.onRead = () => answered.promise
    world.tail.wake()
    world.tail.stop()
    answered.resolve()
    await world.time.settle(10 * POLL_MS)
    assert.deepEqual(world.delivered, [])
    assert.equal(world.time.pending, 0)
    assert.equal(world.reads, 2)
  })

  test('ends when it comes to another entry than one that was read before, of which somebody may have been told', async () => {
    const world = new World()
    world.log = chain(2)
    await world.follow()
    const [, , third] = chain(3, 7, chain(2))
    assert.ok(third)
    world.tail.expect(third)
    world.tail.expect(third)
    assert.deepEqual(world.failures, [])
    world.log = chain(3)
    world.tail.wake()
    await world.time.settle()
    assert.deepEqual(world.delivered, [1, 2])
    assert.match(world.failures.join(), /another history/)
  })

  test('ends when another entry is read where it has been', async () => {
    const world = new World()
    world.log = chain(3)
    await world.follow()
    for (const entry of chain(3)) world.tail.expect(entry)
    const [, , third] = chain(3, 7, chain(2))
    assert.throws(() => third && world.tail.expect(third), /another history/)
    assert.match(world.failures.join(), /another history/)
  })

  test('stands at an entry while it is handed on: what is told of it meanwhile is not told of the history before', async () => {
    const world = new World()
    const stoodAt: (number | undefined)[] = []
    world.deliver = () => stoodAt.push(world.tail.position?.seq)
    world.log = chain(2)
    await world.follow()
    world.log = chain(3)
    await world.commit(world.log.slice(2))
    assert.deepEqual(stoodAt, [2, 3])
  })

  test('holds a transaction that has written nothing until everything is handed on that it could see', async () => {
    const world = new World()
    world.log = chain(1)
    await world.follow()
    world.log = chain(3)
    await world.tail.committed({ head: positionAfter(world.log), entries: [] })
    assert.deepEqual(world.delivered, [1, 2, 3])
    const { reads } = world
    await world.tail.committed({ head: positionAfter(world.log), entries: [] })
    assert.equal(world.reads, reads, 'nothing is read for who saw nothing new')
  })

  for (const [when, head, read] of [
    ['a shorter history is read', chain(3), chain(1)],
    ['the read is of a history that was lost', chain(3), chain(3, 7, chain(1))],
    ['it leads on from a history that was lost', chain(3), chain(2, 7, chain(1))],
  ] as const) {
    test(`acknowledges nothing that a transaction saw while ${when}`, async () => {
      const world = new World()
      world.log = chain(1)
      await world.follow()
      world.log = read
      const settled = world.tail.committed({ head: positionAfter(head), entries: [] })
      await assert.rejects(settled)
      world.log = head
      const again = world.tail.committed({ head: positionAfter(head), entries: [] })
      if (read.length === 1) await again
      else await assert.rejects(again)
      assert.equal(/another history/.test(world.failures.join()), read.length > 1)
    })
  }
})
