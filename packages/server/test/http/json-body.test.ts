import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { readJsonBody } from '../../http/decode/json-body.ts'
import { diagnoseJson } from '../../http/decode/json-diagnosis.ts'

const read = (text: string) => readJsonBody(Buffer.from(text), 'application/json')
const nestedLists = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

/** Problems and places as Python 3.11's `json.loads` names them. */
const PROBLEMS: readonly [document: string, problem: string, at: number][] = [
  ['{', 'Expecting property name enclosed in double quotes', 1],
  ['{"a":1,}', 'Expecting property name enclosed in double quotes', 7],
  ["{'a':1}", 'Expecting property name enclosed in double quotes', 1],
  ['{"a"', "Expecting ':' delimiter", 4],
  ['{"a" 1}', "Expecting ':' delimiter", 5],
  ['{"a":1 "b":2}', "Expecting ',' delimiter", 7],
  ['{"a":1', "Expecting ',' delimiter", 6],
  ['[1 2]', "Expecting ',' delimiter", 3],
  ['[1', "Expecting ',' delimiter", 2],
  ['[', 'Expecting value', 1],
  ['[1,]', 'Expecting value', 3],
  ['{"a":}', 'Expecting value', 5],
  ['   ', 'Expecting value', 3],
  ['nul', 'Expecting value', 0],
  ['-', 'Expecting value', 0],
  ['+1', 'Expecting value', 0],
  ['\u00a01', 'Expecting value', 0],
  ['01', 'Extra data', 1],
  ['1.', 'Extra data', 1],
  ['nullx', 'Extra data', 4],
  ['{} {}', 'Extra data', 3],
  ['"🔑" x', 'Extra data', 4],
  ['"a', 'Unterminated string starting at', 0],
  [' "a\\', 'Unterminated string starting at', 1],
  ['"a\nb"', 'Invalid control character at', 2],
  ['"a\\x"', 'Invalid \\escape', 2],
  ['"a\\u12"', 'Invalid \\uXXXX escape', 3],
  ['"a\\u00e9', 'Invalid \\uXXXX escape', 3],
]

for (const [document, problem, at] of PROBLEMS) {
  test(`${JSON.stringify(document)} is refused in Python's words`, () => {
    assert.deepEqual(read(document), {
      invalid: {
        type: 'json_invalid',
        loc: ['body', at],
        msg: 'JSON decode error',
        input: {},
        ctx: { error: problem },
      },
    })
  })
}

/** What a FastAPI server answered to bodies. */
interface Recorded {
  readonly id: string
  readonly body?: string
  readonly response: { readonly detail: readonly { readonly type: string }[] } | null
}

const { cases }: { cases: readonly Recorded[] } = JSON.parse(
  readFileSync(new URL('../contract/validation-cases.json', import.meta.url), 'utf8'),
)
for (const { id, body, response } of cases) {
  const [invalid] = response?.detail ?? []
  if (body === undefined || invalid?.type !== 'json_invalid') continue
  test(`the problem of ${id} and its place are those recorded`, () => assert.deepEqual(read(body), { invalid }))
}

test('NaN and Infinity are numbers', () => {
  assert.deepEqual(read(' [NaN, Infinity, {"a": -Infinity, "b": "\\u00e9\\n", "c": [true, false, null, -1.5e3]}] '), {
    value: [
      Number.NaN,
      Number.POSITIVE_INFINITY,
      { a: Number.NEGATIVE_INFINITY, b: 'é\n', c: [true, false, null, -1500] },
    ],
  })
})

test('a document is at most 64 levels deep, and is told where it goes deeper', () => {
  assert.ok('value' in read(nestedLists(64)))
  assert.ok('value' in read(`[NaN,${nestedLists(63)}]`))
  const [tooDeep, far] = [read(nestedLists(65)), read(nestedLists(30_000))]
  assert.deepEqual(tooDeep, far)
  assert.deepEqual(tooDeep, {
    invalid: {
      type: 'json_invalid',
      loc: ['body', 64],
      msg: 'JSON decode error',
      input: {},
      ctx: { error: 'Nesting deeper than 64 levels' },
    },
  })
  assert.ok('invalid' in read('['.repeat(65_000)))
  assert.ok('invalid' in read('{"a":'.repeat(13_000)))
})

test('an empty body says nothing, whatever its type', () => {
  for (const type of [undefined, 'application/json', 'text/plain']) {
    assert.deepEqual(readJsonBody(Buffer.alloc(0), type), { value: null })
  }
})

test('a byte order mark is skipped, but is no document', () => {
  assert.deepEqual(read('\ufeff{}'), { value: {} })
  assert.ok('invalid' in read('\ufeff'))
  assert.ok('invalid' in read('\ufeff\ufeff{}'))
})

test('a replacement character that was sent is no encoding error', () => {
  assert.deepEqual(read('"\ufffd"'), { value: '\ufffd' })
  assert.deepEqual(readJsonBody(Buffer.of(0x22, 0xc0, 0x80, 0x22), 'application/json'), { refused: 'body_unreadable' })
})

test('__proto__ is a name like any other', () => {
  const { value } = read('{"__proto__": NaN}') as { value: object }
  assert.deepEqual(Object.keys(value), ['__proto__'])
  assert.equal(Object.getPrototypeOf(value), Object.prototype)
})

test('the diagnosis agrees with JSON.parse on every JSON document', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom(undefined, 1, '\t'), (document, indent) => {
      const text = JSON.stringify(JSON.parse(document), null, indent)
      assert.deepEqual(diagnoseJson(text, 64), { value: JSON.parse(text) })
    }),
    { seed: 20261122, numRuns: 2000 },
  )
})

test('the diagnosis refuses what JSON.parse refuses, but for NaN and Infinity', () => {
  const pieces = fc.constantFrom(
    ...'{}[],:"\\u0a-.e1 \n'.split(''),
    'null',
    'true',
    '"a"',
    '"k":',
    '\u0001',
    '\\u12',
    '🔑',
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 9 }), (parts) => {
      const text = parts.join('')
      const diagnosis = diagnoseJson(text, 64)
      if ('value' in diagnosis) assert.deepEqual(JSON.parse(text), diagnosis.value)
      else assert.throws(() => JSON.parse(text))
    }),
    { seed: 20261122, numRuns: 20_000 },
  )
})
