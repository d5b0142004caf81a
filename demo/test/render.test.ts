import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters, styleText } from 'node:util'
import type { DemoEvent } from '../model/demo-event.ts'
import type { DemoState } from '../model/demo-state.ts'
import { wrap } from '../screen/line.ts'
import { news } from '../screen/news.ts'
import { render, type Size } from '../screen/render.ts'
import { accepted, allReported, played, REVOKED, REVOKED_WHILE_FROZEN, refused, reported } from './played.ts'

const SIZE: Size = { columns: 80, rows: 24 }
const PENDING = REVOKED_WHILE_FROZEN.slice(0, -1)
const NEXT: readonly DemoEvent[] = [...REVOKED_WHILE_FROZEN, { type: 'issued', token: 3 }]
const WOKEN: readonly DemoEvent[] = [
  ...NEXT,
  { type: 'woken', process: 3, atMs: 9_000 },
  reported(3, 9_200, accepted(3, 9_199), refused(2, 1_583, 9_169)),
]
const SERVICE_FROZEN: readonly DemoEvent[] = [
  ...REVOKED,
  { type: 'issued', token: 2 },
  { type: 'frozen', process: 'service', atMs: 2_000 },
]
const MANY: readonly DemoEvent[] = [
  { type: 'started' },
  ...Array.from({ length: 30 }, (_, index): readonly DemoEvent[] => [
    { type: 'issued', token: 101 + index },
    { type: 'revoking', token: 101 + index, atMs: 1_000 },
    { type: 'answered', token: 101 + index, atMs: 299_999, answer: { applied: 7, waitedOut: 1 } },
    ...allReported(300_000, refused(101 + index, 298_000, 299_000)),
  ]).flat(),
]

/** Each part of the demo, and a time at which it is looked at. */
const SCENES: readonly (readonly [name: string, state: DemoState, nowMs: number])[] = [
  ['at the start', played(), 0],
  ['under load', played(...REVOKED.slice(0, 10)), 950],
  ['a revocation is on its way', played(...REVOKED.slice(0, 11)), 1_001],
  ['answered', played(...REVOKED), 1_010],
  [
    'a verifier is frozen',
    played(...REVOKED, { type: 'issued', token: 2 }, { type: 'frozen', process: 3, atMs: 2_000 }),
    2_050,
  ],
  ['the 201 waits', played(...PENDING), 3_000],
  ['the 201 has waited', played(...REVOKED_WHILE_FROZEN), 6_000],
  ['the lease of a frozen verifier has ended', played(...NEXT), 9_000],
  ['it woke', played(...WOKEN), 9_300],
  ['it woke long ago', played(...WOKEN), 60_000],
  ['the service is frozen', played(...SERVICE_FROZEN), 2_500],
  ['all leases have ended', played(...SERVICE_FROZEN), 60_000],
  ['many large numbers', played(...MANY), 300_000],
  ['the promise is broken', played(...REVOKED, ...allReported(9_000, accepted(1, 8_999))), 9_000],
]

const coloured = (state: DemoState, nowMs: number, size: Size) =>
  render(state, nowMs, size, (style, text) => styleText(style, text, { validateStream: false }))
const plainly = (state: DemoState, nowMs: number, size = SIZE) => render(state, nowMs, size, (_, text) => text)

for (const [name, state, nowMs] of SCENES) {
  test(`${name}: the screen fits the terminal, whatever its size, in colours and without`, () => {
    for (const size of [SIZE, { columns: 40, rows: 10 }, { columns: 79, rows: 19 }, { columns: 200, rows: 60 }]) {
      const text = stripVTControlCharacters(coloured(state, nowMs, size))
      assert.equal(text, plainly(state, nowMs, size))
      const lines = text.split('\n')
      assert(lines.length < size.rows, `${lines.length} lines in ${size.rows} rows`)
      for (const line of lines) assert(line.length <= size.columns, line)
    }
  })

  test(`${name}: what happens is told in two lines`, () => {
    assert(wrap(news(state, nowMs), SIZE.columns - 2).length <= 2, news(state, nowMs))
  })

  test(`${name}: everything in the tables fits its column`, () => {
    const wide = plainly(state, nowMs, { columns: 200, rows: 60 })
    for (const line of wide.split('\n').filter((each) => /^ (\d {7}|token )/.test(each)))
      assert.equal(line.length, 80, line)
    assert.doesNotMatch(wide, /undefined|NaN|Infinity/)
  })
}

test('eight lines say what each verifier does, and when it began to refuse', () => {
  const lines = plainly(played(...WOKEN), 9_300).split('\n')
  assert.equal(lines[2]?.trim(), 'token 2 revoked: 201 after 3.8 s')
  assert.match(lines[4] ?? '', /^ 1 +… +12,346 +1\.4 µs +123 µs +ended +1\.0 ms +2\.0 ms$/)
  assert.match(lines[6] ?? '', /^ 3 +accepts .* -517 ms +woke \+ 169 ms$/)
  assert.match(lines[11] ?? '', /^ 8 /)
})

test('why there is no 201 yet is said as long as there is none', () => {
  const text = plainly(played(...PENDING), 3_000).replaceAll('\n', '')
  assert.match(
    text,
    /7 verifiers refuse token 2 already\. The 201 waits for verifier 3, .* lease for at most 3\.0 s more/,
  )
  assert.doesNotMatch(plainly(played(...REVOKED_WHILE_FROZEN), 6_000), /The 201 waits/)
})

test('an accept after a 201 cannot be overlooked', () => {
  const later = played(
    ...REVOKED,
    ...allReported(1_010, refused(1, 1_000, 1_001)),
    reported(5, 9_000, accepted(1, 8_999)),
  )
  const text = plainly(later, 9_000)
  assert.match(text, /The promise is broken/)
  assert.match(text, /^ 5 +accepts .* 8\.0 s +…$/m)
  assert.match(text, /token 1 .* BY 1 OF 8$/m)
  assert.match(text, /Yes after a 201: FOR 1 TOKENS\./)
  assert.match(plainly(played(...REVOKED), 1_010), /Yes after a 201: never\./)
})
