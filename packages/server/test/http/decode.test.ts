import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type TSchema, Type } from 'typebox'
import { schemaDecoder } from '../../http/decode/schema-decoder.ts'
import type { ValidationError } from '../../http/decode/validation-error.ts'

/** The value, or the types of the errors with their places. */
function decode(schema: TSchema, input: unknown): unknown {
  const errors: ValidationError[] = []
  const value = schemaDecoder(schema)(input, errors)
  return errors.length === 0 ? { value } : errors.map(({ type, loc }) => [...loc, type].join(' '))
}

/** A decoded string, as opposed to the type of an error. */
class Text {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** Rows of inputs with what they decode to; a string is the type of an error. */
function table(name: string, schema: TSchema, rows: readonly (readonly [unknown, unknown])[]): void {
  for (const [input, expected] of rows) {
    const shown = JSON.stringify(input)?.slice(0, 40) ?? String(input)
    const value = expected instanceof Text ? expected.text : expected
    const wanted = typeof expected === 'string' ? [expected] : { value }
    test(`${name} reads ${shown} as pydantic does`, () => assert.deepEqual(decode(schema, input), wanted))
  }
}

const nines = (count: number) => '9'.repeat(count)
const whole = Type.Integer()
table('an integer', whole, [
  ...['5', '+5', ' 5\n', '\u00a05\u00a0', '\u20285', '\u00855', '5.0', '5.00', '005', '0_5', '00_5'].map(
    (text) => [text, 5] as const,
  ),
  ...[5, 5.0].map((number) => [number, 5] as const),
  ['-5', -5],
  ['-0_1', -1],
  ['1_000.0', 1000],
  ['0'.repeat(4301), 0],
  ['-0.0', 0],
  [-0, 0],
  [true, 1],
  [false, 0],
  ...['', '+', '-', '+-5', '--5', '+ 5', '- 5', '1__0', '_1', '1_', '5.', '.0', '1e2', '0x10', '1.0_0', '1 0'].map(
    (text) => [text, 'int_parsing'] as const,
  ),
  ...['٣', '5\u0000', '\ufeff5', '\u001c5', 'NaN', nines(5000).concat('x')].map(
    (text) => [text, 'int_parsing'] as const,
  ),
  [nines(4301), 'int_parsing_size'],
  [nines(20), 'int_parsing_size'],
  [1e22, 'int_parsing_size'],
  [1.5, 'int_from_float'],
  [Number.NaN, 'finite_number'],
  [Number.POSITIVE_INFINITY, 'finite_number'],
  [null, 'int_type'],
  [[], 'int_type'],
  [{}, 'int_type'],
])
table('a bounded integer', Type.Integer({ minimum: 1, maximum: 9 }), [
  [nines(4300), 'less_than_equal'],
  [`-${nines(4300)}`, 'greater_than_equal'],
  [1e22, 'less_than_equal'],
  ['0', 'greater_than_equal'],
  [false, 'greater_than_equal'],
])

table('a boolean', Type.Boolean(), [
  ...[true, 1, 1.0, '1', 'on', 'oN', 't', 'TRUE', 'y', 'yes'].map((input) => [input, true] as const),
  ...[false, 0, '0', 'off', 'f', 'False', 'n', 'no'].map((input) => [input, false] as const),
  ...['', ' true', '2', 'maybe', 2, -1, 2.0].map((input) => [input, 'bool_parsing'] as const),
  ...[1.5, Number.NaN, 1e30, null, [], {}].map((input) => [input, 'bool_type'] as const),
])

table('a string', Type.String({ minLength: 2, maxLength: 3, pattern: '^[a🔑]+$' }), [
  ['aa', new Text('aa')],
  ['🔑🔑🔑', new Text('🔑🔑🔑')],
  ['🔑', 'string_too_short'],
  ['', 'string_too_short'],
  ['aaaa', 'string_too_long'],
  ['🔑🔑🔑🔑', 'string_too_long'],
  ['bb', 'string_pattern_mismatch'],
  ['\ud800', 'string_unicode'],
  [1, 'string_type'],
  [null, 'string_type'],
])

table('a literal', Type.Enum(['a', 'b']), [
  ['a', new Text('a')],
  ['A', 'literal_error'],
  [1, 'literal_error'],
  [null, 'literal_error'],
  [{}, 'literal_error'],
  ['\udfff', 'string_unicode'],
])

table('a nullable field', Type.Union([Type.String({ maxLength: 3 }), Type.Null()]), [
  [null, null],
  ['', new Text('')],
  [1, 'string_type'],
  ['aaaa', 'string_too_long'],
])
table('a nullable literal', Type.Union([Type.Enum(['a', 'b']), Type.Null()]), [
  [null, null],
  ['b', new Text('b')],
  ['c', 'literal_error'],
])

table('a list', Type.Array(Type.Integer({ minimum: 1 }), { minItems: 1, maxItems: 2 }), [
  [
    ['1', 2],
    [1, 2],
  ],
  [[], 'too_short'],
  [['x', 0, 1], 'too_long'],
  [[0], '0 greater_than_equal'],
  ['x', 'list_type'],
  [{}, 'list_type'],
  [null, 'list_type'],
])

const nested = Type.Object({
  first: Type.Integer(),
  inner: Type.Object({ list: Type.Array(Type.String()) }),
  last: Type.Optional(Type.Boolean()),
  plain: Type.Integer({ default: 7 }),
})

test('errors come in the order of the schema, with the place of each', () => {
  const input = { last: 'x', inner: { list: ['a', 1] }, plain: 'y', zz: 1 }
  assert.deepEqual(decode(nested, input), [
    'first missing',
    'inner list 1 string_type',
    'last bool_parsing',
    'plain int_parsing',
  ])
})

test('unknown fields are dropped, absent ones get their default', () => {
  const input = { first: 1, inner: { list: [], zz: 1 }, zz: 1 }
  assert.deepEqual(decode(nested, input), { value: { first: 1, inner: { list: [] }, plain: 7 } })
})

test('a name that every object has is only a name', () => {
  const schema = Type.Object({ constructor: Type.String(), toString: Type.Optional(Type.String()) })
  assert.deepEqual(decode(schema, JSON.parse('{"__proto__":{"constructor":"x"}}')), ['constructor missing'])
  assert.deepEqual(decode(Type.Object({}), JSON.parse('{"__proto__":{"admin":true}}')), { value: {} })
})

test('the sentence of a literal lists what is allowed', () => {
  const sentence = (...literals: string[]) => {
    const errors: ValidationError[] = []
    schemaDecoder(Type.Enum(literals))(0, errors)
    return errors[0]?.msg
  }
  assert.equal(sentence('a'), "Input should be 'a'")
  assert.equal(sentence('a', 'b'), "Input should be 'a' or 'b'")
  assert.equal(sentence('a', 'b', 'c'), "Input should be 'a', 'b' or 'c'")
})

test('a schema the decoder does not know is refused before it is served', () => {
  for (const schema of [Type.Number(), Type.Union([Type.String(), Type.Integer()]), Type.Unknown()]) {
    assert.throws(() => schemaDecoder(schema), TypeError)
  }
})

test('decoding never throws and never changes its input', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (input) => {
      const copy = structuredClone(input)
      decode(nested, input)
      decode(Type.Object({ first: Type.Integer() }), { first: input })
      decode(Type.Array(Type.Boolean()), [input])
      assert.deepEqual(input, copy)
    }),
    { seed: 20261122, numRuns: 2000 },
  )
})
