import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  type Attachment,
  type AttachmentEvent,
  attach,
  coveredSeq,
  isOver,
  lapseMs,
  newAttachment,
  ofFormer,
} from '../../revocations/attachment.ts'

const VERIFIER_ID = '00000000-0000-4000-8000-000000000001'
const NOW = 1_000_000
const LEASE_MS = 30_000

type Changes = Partial<Omit<Attachment, 'grants'>> & { readonly grants?: readonly (readonly [number, number])[] }

/** @param grants entries they name, and in how many milliseconds they end */
function attachment({ grants = [], ...changes }: Changes = {}): Attachment {
  const ending = grants.map(([seq, inMs]) => ({ seq, endsMs: NOW + inMs }))
  return { ...newAttachment(VERIFIER_ID), ...changes, grants: ending }
}

const STATES = {
  new: attachment(),
  behind: attachment({ appliedSeq: 3, grants: [[5, 10]] }),
  level: attachment({ appliedSeq: 5, grants: [[5, 10]] }),
  two: attachment({
    appliedSeq: 3,
    grants: [
      [4, 20],
      [6, 10],
    ],
  }),
  lapsing: attachment({
    appliedSeq: 3,
    grants: [
      [4, 0],
      [6, 10],
    ],
  }),
  lapsed: attachment({ appliedSeq: 3, grants: [[5, 0]] }),
  gone: attachment({ appliedSeq: 3, grants: [[5, 10]], isConnected: false }),
  ended: attachment({ appliedSeq: 3, grants: [[5, 0]], isConnected: false }),
} as const

/** By the type of the event, then by what is special about it. */
const EVENTS: Readonly<Record<AttachmentEvent['type'], Readonly<Record<string, AttachmentEvent>>>> = {
  applied: {
    less: { type: 'applied', seq: 2 },
    four: { type: 'applied', seq: 4 },
    seven: { type: 'applied', seq: 7 },
  },
  renew: {
    long: { type: 'renew', nonce: 9, grantable: { leftMs: 30.9, seq: 7 } },
    same: { type: 'renew', nonce: 9, grantable: { leftMs: 30, seq: 5 } },
    none: { type: 'renew', nonce: 9, grantable: { leftMs: 0, seq: 7 } },
    tiny: { type: 'renew', nonce: 9, grantable: { leftMs: 0.99, seq: 7 } },
    lapsed: { type: 'renew', nonce: 9, grantable: { leftMs: -5, seq: 7 } },
  },
  goodbye: { goodbye: { type: 'goodbye' } },
  disconnected: { disconnected: { type: 'disconnected' } },
}

/**
 * What is applied, `:`, the entries that grants name and when they end, and `!` for a grant that is sent. `x` is a
 * connection that is gone, `over` an attachment on which nothing depends any more.
 */
const TABLE: Readonly<Record<string, Readonly<Record<keyof typeof STATES, string>>>> = {
  'applied less': {
    new: '2:',
    behind: '3: 5@10',
    level: '5: 5@10',
    two: '3: 4@20 6@10',
    lapsing: '3: 6@10',
    lapsed: '3:',
    gone: 'x 3: 5@10',
    ended: 'over 3:',
  },
  'applied four': {
    new: '4:',
    behind: '4: 5@10',
    level: '5: 5@10',
    two: '4: 4@20 6@10',
    lapsing: '4: 6@10',
    lapsed: '4:',
    gone: 'x 4: 5@10',
    ended: 'over 4:',
  },
  'applied seven': {
    new: '7:',
    behind: '7: 5@10',
    level: '7: 5@10',
    two: '7: 6@20',
    lapsing: '7: 6@10',
    lapsed: '7:',
    gone: 'x 7: 5@10',
    ended: 'over 7:',
  },
  'renew long': {
    new: '0: 7@30!',
    behind: '3: 5@10 7@30!',
    level: '5: 5@10 7@30!',
    two: '3: 4@20 6@10 7@30!',
    lapsing: '3: 6@10 7@30!',
    lapsed: '3: 7@30!',
    gone: 'x 3: 5@10 7@30!',
    ended: 'x 3: 7@30!',
  },
  'renew same': {
    new: '0: 5@30!',
    behind: '3: 5@30!',
    level: '5: 5@30!',
    two: '3: 4@20 6@10 5@30!',
    lapsing: '3: 6@10 5@30!',
    lapsed: '3: 5@30!',
    gone: 'x 3: 5@30!',
    ended: 'x 3: 5@30!',
  },
  ...sameForAll(['renew none', 'renew tiny', 'renew lapsed'], {
    new: '0:',
    behind: '3: 5@10',
    level: '5: 5@10',
    two: '3: 4@20 6@10',
    lapsing: '3: 4@0 6@10',
    lapsed: '3: 5@0',
    gone: 'x 3: 5@10',
    ended: 'over 3: 5@0',
  }),
  goodbye: {
    new: '0:',
    behind: '3:',
    level: '5:',
    two: '3:',
    lapsing: '3:',
    lapsed: '3:',
    gone: 'over 3:',
    ended: 'over 3:',
  },
  disconnected: {
    new: 'over 0:',
    behind: 'x 3: 5@10',
    level: 'x 5: 5@10',
    two: 'x 3: 4@20 6@10',
    lapsing: 'x 3: 4@0 6@10',
    lapsed: 'over 3: 5@0',
    gone: 'x 3: 5@10',
    ended: 'over 3: 5@0',
  },
}

function sameForAll<T>(names: readonly string[], row: T): Record<string, T> {
  return Object.fromEntries(names.map((name) => [name, row]))
}

describe('the table of an attachment', () => {
  const events = Object.values(EVENTS).flatMap((variants) =>
    Object.entries(variants).map(([variant, event]) => {
      return [event.type === variant ? variant : `${event.type} ${variant}`, event] as const
    }),
  )

  test('has a row for every event', () => {
    assert.deepEqual(Object.keys(TABLE).sort(), events.map(([name]) => name).sort())
  })

  for (const [name, event] of events) {
    test(`says what happens on: ${name}`, () => {
      for (const [state, before] of Object.entries(STATES)) {
        const { attachment: after, effects } = attach(before, event, NOW)
        const said = TABLE[name]?.[state as keyof typeof STATES] ?? ''
        assert.equal(textOf(after) + (effects.length > 0 ? '!' : ''), said, `${name}: ${state}`)
        if (effects.length === 0) continue
        assert.ok(event.type === 'renew')
        const leaseMs = Math.floor(event.grantable.leftMs)
        assert.deepEqual(effects, [{ type: 'grant', nonce: event.nonce, leaseMs, seq: event.grantable.seq }])
      }
    })
  }
})

function textOf(after: Attachment): string {
  const { appliedSeq, grants, isConnected } = after
  const standing = isOver(after, NOW) ? 'over ' : isConnected ? '' : 'x '
  return `${standing}${appliedSeq}:${grants.map(({ seq, endsMs }) => ` ${seq}@${endsMs - NOW}`).join('')}`
}

test('what a verifier has applied, and that it has stopped, is true of its former connections, and nothing else is', () => {
  for (const event of Object.values(EVENTS).flatMap((variants) => Object.values(variants))) {
    const isTrue = event.type === 'applied' || event.type === 'goodbye'
    assert.deepEqual(ofFormer(event), isTrue ? event : undefined)
  }
})

/** What has happened since, told by an attachment and by one who keeps every grant there ever was. */
class Told {
  attachment = newAttachment(VERIFIER_ID)
  readonly grants: { seq: number; endsMs: number }[] = []
  #appliedSeq = 0
  nowMs = NOW

  /** @returns whether the renewal was granted */
  renew(seq: number, leftMs: number): boolean {
    const [grant] = this.#take({ type: 'renew', nonce: 1, grantable: { seq, leftMs } })
    if (grant !== undefined) this.grants.push({ seq: grant.seq, endsMs: this.nowMs + grant.leaseMs })
    return grant !== undefined
  }

  apply(seq: number): void {
    this.#appliedSeq = Math.max(this.#appliedSeq, seq)
    this.#take({ type: 'applied', seq })
  }

  disconnect(): void {
    this.#take({ type: 'disconnected' })
  }

  #take(event: AttachmentEvent) {
    const { attachment: next, effects } = attach(this.attachment, event, this.nowMs)
    this.attachment = next
    return effects
  }

  get live() {
    return this.grants.filter(({ endsMs }) => endsMs > this.nowMs)
  }

  get coveredSeq(): number {
    return Math.max(this.#appliedSeq, Math.min(...this.live.map(({ seq }) => seq)))
  }

  /** Of those that matter: whoever waits does so for what was not applied. */
  lapseMs(seq: number): number {
    return Math.max(...this.grants.filter((grant) => grant.seq < seq).map(({ endsMs }) => endsMs))
  }
}

const happening = fc.oneof(
  fc.record({
    type: fc.constant('renew' as const),
    ahead: fc.nat({ max: 3 }),
    leftMs: fc.integer({ min: -10, max: LEASE_MS }),
  }),
  fc.record({ type: fc.constant('apply' as const), behind: fc.nat({ max: 6 }) }),
  fc.record({ type: fc.constant('pass' as const), ms: fc.oneof(fc.nat({ max: 2_000 }), fc.nat({ max: LEASE_MS })) }),
)

test('an attachment releases nothing before one who keeps every grant would, and nothing after', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 200, size: 'max' }), (happenings) => {
      const told = new Told()
      let nodeSeq = 0
      for (const each of happenings) {
        if (each.type === 'pass') told.nowMs += each.ms
        else if (each.type === 'apply') told.apply(Math.max(0, nodeSeq - each.behind))
        else {
          nodeSeq += each.ahead
          told.renew(nodeSeq, each.leftMs)
        }
        const { attachment: kept, nowMs } = told
        assert.equal(coveredSeq(kept, nowMs), told.coveredSeq)
        for (let seq = told.coveredSeq + 1; seq <= nodeSeq + 1; seq++)
          assert.equal(lapseMs(kept, seq), told.lapseMs(seq))
        assert.equal(isOver({ ...kept, isConnected: false }, nowMs), told.live.length === 0)
      }
    }),
    { seed: 11, numRuns: 500 },
  )
})

test('a verifier that renews and never acknowledges delays nobody by more than one lease, however often it renews', () => {
  for (const { leaseMs, everyMs } of [
    { leaseMs: 30_000, everyMs: 3_750 },
    { leaseMs: 300_000, everyMs: 5_000 },
    { leaseMs: 30_000, everyMs: 100 },
    { leaseMs: 300_000, everyMs: 1_000 },
  ]) {
    const told = new Told()
    const appliedAtMs: number[] = []
    for (let seq = 1; seq <= 800; seq++) {
      appliedAtMs[seq] = told.nowMs
      told.renew(seq, leaseMs)
      told.nowMs += everyMs
      const covered = coveredSeq(told.attachment, told.nowMs)
      for (const [each, atMs] of appliedAtMs.entries()) {
        if (atMs !== undefined && each > covered) assert.ok(told.nowMs < atMs + leaseMs, `${each} waits for too long`)
      }
    }
  }
})

test('what is kept of a verifier is bounded, however often it renews', () => {
  const told = new Told()
  let granted = 0
  for (let seq = 1; seq <= 10_000; seq++) {
    if (told.renew(seq, LEASE_MS)) granted += 1
    assert.ok(told.attachment.grants.length <= 64)
  }
  assert.equal(granted, 64)
  told.apply(10_000)
  assert.equal(told.attachment.grants.length, 1)
  assert.ok(told.renew(10_001, LEASE_MS), 'and it is granted leases again once it has applied them')
})

test('a verifier that renews as often as it should is never refused, at whatever length of the lease', () => {
  for (const leaseMs of [2_000, 30_000, 40_000, 300_000]) {
    const told = new Told()
    for (let seq = 1; seq <= 200; seq++) {
      assert.ok(told.renew(seq, leaseMs))
      told.nowMs += Math.min(leaseMs / 8, 5_000)
    }
  }
})

test('a connection that closes releases nothing, and its last lease does', () => {
  const told = new Told()
  told.renew(5, LEASE_MS)
  told.disconnect()
  told.nowMs += LEASE_MS - 1
  assert.equal(coveredSeq(told.attachment, told.nowMs), 5)
  assert.ok(!isOver(told.attachment, told.nowMs))
  told.nowMs += 1
  assert.equal(coveredSeq(told.attachment, told.nowMs), Number.POSITIVE_INFINITY)
  assert.ok(isOver(told.attachment, told.nowMs))
})

test('a verifier that was never granted a lease delays nobody', () => {
  assert.equal(coveredSeq(newAttachment(VERIFIER_ID), NOW), Number.POSITIVE_INFINITY)
})

test('a wait is for the last lease that names less, not for the last of all', () => {
  const told = new Told()
  told.renew(5, LEASE_MS)
  told.nowMs += 4_000
  told.renew(7, LEASE_MS)
  assert.equal(lapseMs(told.attachment, 6), NOW + LEASE_MS)
  assert.equal(lapseMs(told.attachment, 8), NOW + 4_000 + LEASE_MS)
})
