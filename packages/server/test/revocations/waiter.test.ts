import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type Attachment, attach, newAttachment } from '../../revocations/attachment.ts'
import { beginWait, type View, type Wait, type WaitEffect, type WaitEvent, wait } from '../../revocations/waiter.ts'
import type { NodeRecord } from '../../storage/storage.ts'

const SELF = 'self'
const SEQ = 5
const NOW = 1_000_000

function row(nodeId: string, inForceSeq: number, leaseMs = 40): NodeRecord {
  return { nodeId, leaseMs, renewals: 1, inForceSeq }
}

/** @param grants entries they name, and in how many milliseconds they end */
function verifier(appliedSeq: number, ...grants: readonly (readonly [number, number])[]): Attachment {
  const ending = grants.map(([seq, inMs]) => ({ seq, endsMs: NOW + inMs }))
  return { ...newAttachment('v'), appliedSeq, grants: ending }
}

/** What is known of the other nodes: their ids, and in how many milliseconds they end. */
const NODES: Readonly<Record<string, Wait['others']>> = {
  unread: null,
  alone: [],
  other: [{ nodeId: 'b', endsMs: NOW + 10 }],
  ended: [{ nodeId: 'b', endsMs: NOW }],
}

/** One verifier of this node, or none. Those that are behind were awaited before. */
const VERIFIERS: Readonly<Record<string, Attachment | undefined>> = {
  none: undefined,
  applied: verifier(5, [5, 20]),
  behind: verifier(3, [4, 20]),
  two: verifier(3, [3, 20], [4, 30], [5, 90]),
  lapsed: verifier(3, [4, 0]),
  renewing: verifier(3, [4, 0], [5, 90]),
  goodbye: verifier(3),
}

/** By the type of the event, then by what is special about it. */
const EVENTS: Readonly<Record<WaitEvent['type'], Readonly<Record<string, WaitEvent>>>> = {
  look: { look: { type: 'look' } },
  members: {
    self: { type: 'members', members: [row(SELF, 0)] },
    behind: { type: 'members', members: [row(SELF, 0), row('b', 4)] },
    reported: { type: 'members', members: [row(SELF, 0), row('b', 5)] },
    joined: { type: 'members', members: [row(SELF, 0), row('c', 0)] },
  },
}

/**
 * Rows are verifiers, columns what was known of the other nodes. `-`: it waits for its own node, or for the members to
 * be read. A number: it looks again after so many milliseconds. Otherwise how many had applied the entry, and how many
 * were waited out, once it is in force.
 */
const TABLE: Readonly<Record<string, string>> = {
  look: `
              unread alone other ended
    none      -      0/0   10    0/1
    applied   -      1/0   10    1/1
    behind    -      20    10    20
    two       -      30    10    30
    lapsed    -      0/1   10    0/2
    renewing  -      0/1   10    0/2
    goodbye   -      0/0   10    0/1`,
  'members self': `
              unread alone other ended
    none      0/0    0/0   0/1   0/1
    applied   1/0    1/0   1/1   1/1
    behind    20     20    20    20
    two       30     30    30    30
    lapsed    0/1    0/1   0/2   0/2
    renewing  0/1    0/1   0/2   0/2
    goodbye   0/0    0/0   0/1   0/1`,
  'members behind': `
              unread alone other ended
    none      40     0/0   10    0/1
    applied   40     1/0   10    1/1
    behind    20     20    10    20
    two       30     30    10    30
    lapsed    40     0/1   10    0/2
    renewing  40     0/1   10    0/2
    goodbye   40     0/0   10    0/1`,
  'members reported': `
              unread alone other ended
    none      1/0    0/0   1/0   1/0
    applied   2/0    1/0   2/0   2/0
    behind    20     20    20    20
    two       30     30    30    30
    lapsed    1/1    0/1   1/1   1/1
    renewing  1/1    0/1   1/1   1/1
    goodbye   1/0    0/0   1/0   1/0`,
  'members joined': `
              unread alone other ended
    none      40     0/0   0/1   0/1
    applied   40     1/0   1/1   1/1
    behind    20     20    20    20
    two       30     30    30    30
    lapsed    40     0/1   0/2   0/2
    renewing  40     0/1   0/2   0/2
    goodbye   40     0/0   0/1   0/1`,
}

describe('the table of a wait', () => {
  const events = Object.values(EVENTS).flatMap((variants) =>
    Object.entries(variants).map(([variant, event]) => {
      return [event.type === variant ? variant : `${event.type} ${variant}`, event] as const
    }),
  )

  test('has a part for every event, with every state in it', () => {
    assert.deepEqual(Object.keys(TABLE).sort(), events.map(([name]) => name).sort())
    for (const [name] of events) {
      const [head, ...rows] = cellsOf(name)
      assert.deepEqual(head, Object.keys(NODES))
      assert.deepEqual(
        rows.map(([verifiers]) => verifiers),
        Object.keys(VERIFIERS),
      )
    }
  })

  for (const [name, event] of events) {
    test(`says what happens on: ${name}`, () => {
      const [nodes = [], ...rows] = cellsOf(name)
      for (const [verifiers = '', ...cells] of rows) {
        for (const [at, others] of nodes.entries()) {
          const what = `${name}: ${verifiers}, ${others}`
          assert.equal(outcomeOf(others, verifiers, event, SEQ), cells[at], what)
          assert.equal(outcomeOf(others, verifiers, event, SEQ - 1), '-', `${what}, itself behind`)
        }
      }
    })
  }
})

function cellsOf(event: string): string[][] {
  const lines = (TABLE[event] ?? '').trim().split('\n')
  return lines.map((line) => line.trim().split(/\s+/))
}

function outcomeOf(others: string, verifiers: string, event: WaitEvent, appliedSeq: number): string {
  const attachment = VERIFIERS[verifiers]
  const awaited = new Set(attachment !== undefined && attachment.appliedSeq < SEQ ? [attachment.verifierId] : [])
  const state = { ...beginWait(SEQ, NOW), others: NODES[others] ?? null, awaited }
  return textOf(wait(state, event, view(appliedSeq, attachment), NOW).effects)
}

function view(appliedSeq: number, ...attachments: readonly (Attachment | undefined)[]): View {
  return { nodeId: SELF, appliedSeq, attachments: attachments.filter((each) => each !== undefined) }
}

function textOf([effect]: readonly WaitEffect[]): string {
  if (effect === undefined) return '-'
  if (effect.type === 'wake') return String(effect.atMs - NOW)
  return `${effect.outcome.applied}/${effect.outcome.waitedOut}`
}

/** The wait for entry {@link SEQ} by a node that has applied it. */
class Waiting {
  #wait = beginWait(SEQ, NOW)
  readonly attachments: Attachment[] = []
  nowMs = NOW

  members(...members: readonly NodeRecord[]): string {
    return this.#take({ type: 'members', members })
  }

  look(): string {
    return this.#take({ type: 'look' })
  }

  #take(event: WaitEvent): string {
    const { wait: next, effects } = wait(this.#wait, event, view(SEQ, ...this.attachments), this.nowMs)
    this.#wait = next
    return textOf(effects)
  }
}

test('a wait does not end before the members were read, whatever else is known', () => {
  const waiting = new Waiting()
  waiting.nowMs += 1e9
  assert.equal(waiting.look(), '-')
  assert.equal(waiting.members(row(SELF, 0)), '0/0')
})

test('another node is waited for as long as its own row says, from when it was read', () => {
  const waiting = new Waiting()
  waiting.nowMs += 7
  assert.equal(waiting.members(row('b', 4, 300_000), row('c', 4, 2_000)), '2007')
  waiting.nowMs += 2_000
  assert.equal(waiting.look(), '300007')
  waiting.nowMs += 298_000
  assert.equal(waiting.look(), '0/2')
})

test('a node that renews without reporting is waited for no longer than at first', () => {
  const waiting = new Waiting()
  assert.equal(waiting.members(row('b', 4)), '40')
  waiting.nowMs += 39
  assert.equal(waiting.members({ ...row('b', 4), renewals: 9 }), '40')
  waiting.nowMs += 1
  assert.equal(waiting.look(), '0/1')
})

test('a node that joined after the entry was committed is not waited for', () => {
  const waiting = new Waiting()
  waiting.members(row('b', 4))
  assert.equal(waiting.members(row('b', 4), row('c', 0)), '40')
  assert.equal(waiting.members(row('b', 5), row('c', 0)), '1/0')
})

test('a verifier that closes its connection is waited for until its last lease that does not name the entry has ended', () => {
  const waiting = new Waiting()
  waiting.attachments[0] = attach(verifier(3, [3, 20], [4, 30], [5, 90]), { type: 'disconnected' }, NOW).attachment
  assert.equal(waiting.members(), '30')
  waiting.nowMs += 29
  assert.equal(waiting.look(), '30')
  waiting.nowMs += 1
  assert.equal(waiting.look(), '0/1')
})

test('a verifier that acknowledges, or says goodbye, is not waited for any more', () => {
  for (const [event, outcome] of [
    [{ type: 'applied', seq: SEQ }, '1/0'],
    [{ type: 'goodbye' }, '0/0'],
  ] as const) {
    const waiting = new Waiting()
    const behind = verifier(3, [4, 30])
    waiting.attachments[0] = behind
    assert.equal(waiting.members(), '30')
    waiting.attachments[0] = attach(behind, event, NOW).attachment
    assert.equal(waiting.look(), outcome)
  }
})

test('a verifier that was waited out is counted, even if nothing is known of it any more when the wait ends', () => {
  const waiting = new Waiting()
  waiting.attachments.push(verifier(3, [4, 30]), { ...verifier(3, [4, 60]), verifierId: 'w' })
  assert.equal(waiting.members(), '30')
  waiting.nowMs += 30
  assert.equal(waiting.look(), '60')
  waiting.attachments.shift()
  waiting.nowMs += 30
  assert.equal(waiting.look(), '0/2')
})

test('a verifier that has applied the entry is counted once, on however many connections it was granted leases', () => {
  const waiting = new Waiting()
  waiting.attachments.push(
    { ...verifier(5, [4, 30]), verifierId: 'u' },
    { ...verifier(5, [4, 30]), verifierId: 'v', formerly: ['t', 'u'] },
    { ...verifier(5, [4, 30]), verifierId: 'w', formerly: ['u', 'v'] },
    { ...verifier(5), verifierId: 'x', formerly: ['u', 'v', 'w'] },
    { ...verifier(5, [4, 30]), verifierId: 'y', formerly: ['t'] },
  )
  assert.equal(waiting.members(), '2/0')
})

test('a wait ends, at the latest with the last lease there was when the members were read', () => {
  const grant = fc.tuple(fc.nat({ max: 8 }), fc.nat({ max: 300 }))
  const attached = fc.record({ appliedSeq: fc.nat({ max: 8 }), grants: fc.array(grant, { maxLength: 4 }) })
  const other = fc.record({
    nodeId: fc.constantFrom('a', 'b', 'c'),
    inForceSeq: fc.nat({ max: 8 }),
    leaseMs: fc.nat({ max: 300 }),
  })
  fc.assert(
    fc.property(
      fc.array(attached),
      fc.uniqueArray(other, { selector: ({ nodeId }) => nodeId }),
      (verifiers, others) => {
        const waiting = new Waiting()
        for (const { appliedSeq, grants } of verifiers) {
          const bySeq = grants.toSorted(([a], [b]) => a - b)
          waiting.attachments.push({ ...verifier(appliedSeq, ...bySeq), verifierId: `v${waiting.attachments.length}` })
        }
        const lives = ({ leaseMs }: { leaseMs: number }) => leaseMs > 0
        const ends = [
          ...others
            .filter(({ inForceSeq }) => inForceSeq < SEQ)
            .filter(lives)
            .map(({ leaseMs }) => leaseMs),
          ...verifiers
            .filter(({ appliedSeq }) => appliedSeq < SEQ)
            .flatMap(({ grants }) => grants.filter(([seq]) => seq < SEQ).map(([, inMs]) => inMs)),
        ]
        const lastMs = Math.max(0, ...ends)
        let text = waiting.members(...others.map((each) => row(each.nodeId, each.inForceSeq, each.leaseMs)))
        let looks = 0
        for (; !text.includes('/'); looks++) {
          assert.ok(Number(text) > waiting.nowMs - NOW && looks < 100, 'it looks again later')
          waiting.nowMs = NOW + Number(text)
          text = waiting.look()
        }
        assert.equal(waiting.nowMs - NOW, lastMs)
      },
    ),
    { seed: 12, numRuns: 500 },
  )
})
