import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeBase64url, encodeClaims, parseClaims, statusListUri, type TokenClaims } from '@rescind/protocol'

const id = (digit: number) => `${`${digit}`.repeat(8)}-0000-4000-8000-000000000000`

const claims: TokenClaims = {
  iss: 'https://tokens.example',
  sub: id(1),
  aud: 'https://tokens.example',
  client_id: id(2),
  jti: id(3),
  iat: 1_700_000_000,
  exp: 1_800_000_000,
  scope: 'tokens:read',
  business_id: id(4),
  type: 'api',
  status: { status_list: { idx: 7, uri: 'https://tokens.example/epochs/x' } },
}

const parse = (text: string) => parseClaims(Buffer.from(text))
const parseWith = (changes: Record<string, unknown>) => parse(JSON.stringify({ ...claims, ...changes }))

test('claims come back from their segment', () => {
  assert.deepEqual(parseClaims(decodeBase64url(encodeClaims(claims)) ?? Buffer.alloc(0)), claims)
})

test('an operator token needs no business_id', () => {
  const { business_id: _, ...rest } = claims
  assert.deepEqual(parse(JSON.stringify(rest)), rest)
})

test('claims of a later version are kept', () => {
  assert.deepEqual(parseWith({ later: { nested: [1] } }), { ...claims, later: { nested: [1] } })
})

test('every claim but business_id is required', () => {
  for (const name of Object.keys(claims).filter((name) => name !== 'business_id')) {
    assert.equal(parseWith({ [name]: undefined }), undefined, name)
  }
})

test('a claim of the wrong type is refused', () => {
  const wrong = [null, true, 1.5, -1, 2 ** 53, '1800000000', '', 'x', [], {}, [id(1)], id(1).replace('1', 'A')]
  const allowed: Record<string, (value: unknown) => boolean> = {
    iss: (value) => typeof value === 'string',
    aud: (value) => typeof value === 'string',
    scope: (value) => typeof value === 'string',
  }
  for (const name of Object.keys(claims)) {
    for (const value of wrong.filter((value) => !allowed[name]?.(value))) {
      assert.equal(parseWith({ [name]: value }), undefined, `${name}: ${JSON.stringify(value)}`)
    }
  }
})

test('a status list reference that is not whole is refused', () => {
  const uri = 'u'
  const lists = [
    null,
    [],
    { idx: 1 },
    { uri },
    { idx: '1', uri },
    { idx: -1, uri },
    { idx: 1.5, uri },
    { idx: 1, uri: 2 },
  ]
  for (const list of [...lists, { idx: 2 ** 53, uri }]) {
    assert.equal(parseWith({ status: { status_list: list } }), undefined, JSON.stringify(list))
  }
})

test('members of the prototype are no claims', () => {
  const { exp: _, ...rest } = claims
  const text = JSON.stringify(rest).replace(/}$/, ',"__proto__":{"exp":1800000000}}')
  assert.equal(parse(text), undefined)
})

test('a second spelling of the same claims is refused', () => {
  const text = JSON.stringify(claims)
  const spellings = [
    ` ${text}`,
    `${text}\n`,
    `\ufeff${text}`,
    text.replace('"exp":', '"exp": '),
    text.replace('"exp":', '"exp":1,"exp":'),
    text.replace('"exp"', '"\\u0065xp"'),
    text.replace('1800000000', '1800000000.0'),
    text.replace('1800000000', '1.8e9'),
    text.replace('"idx":7', '"idx":-0'),
    text.replace('"idx":7', '"idx":07'),
    text.replace('"idx":7', '"idx":7,"idx":7'),
    text.replace('tokens.example', 'tokens\\u002eexample'),
  ]
  assert.notEqual(parse(text), undefined)
  for (const spelling of spellings) {
    assert.notEqual(spelling, text)
    assert.equal(parse(spelling), undefined, spelling)
  }
})

test('what is not a JSON object in UTF-8 is refused', () => {
  for (const text of ['', 'null', '1', '"x"', '[]', '{}', '{', '['.repeat(6000)]) assert.equal(parse(text), undefined)
  const deep = `${'['.repeat(3000)}${']'.repeat(3000)}`
  assert.equal(parse(deep), undefined)
  const text = JSON.stringify({ ...claims, scope: 'x' })
  for (const bytes of ['ff', 'c0af', 'eda080', 'f8', 'c3']) {
    const invalid = Buffer.concat([
      Buffer.from(text.slice(0, text.indexOf('"x"') + 1)),
      Buffer.from(bytes, 'hex'),
      Buffer.from(text.slice(text.indexOf('"x"') + 1)),
    ])
    assert.equal(parseClaims(invalid), undefined, bytes)
  }
})

test('the status list names issuer and epoch', () => {
  assert.notEqual(statusListUri(id(1)), statusListUri(id(2)))
})
