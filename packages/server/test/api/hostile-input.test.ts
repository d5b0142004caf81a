import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { ERRORS } from '@rescind/protocol'
import { expect, issued } from '../service/provisioning.ts'
import { encodeRequest, sendRaw } from '../service/raw-http.ts'
import { runService } from '../service/running-service.ts'

const KIB = 1024

const service = await runService({ after }, { maxActiveTokens: 10_000 })
const { url, call, businessId, ownerToken, operatorToken } = service

/** Every operation that reads a body, with a path that exists. */
const BODIES: readonly (readonly [method: string, path: string, token: string])[] = [
  ['POST', '/api/v1/tokens', ownerToken],
  ['POST', `/api/v1/tokens/${randomUUID()}/revoke`, ownerToken],
  ['POST', '/api/v1/tokens/verify', operatorToken],
  ['PUT', `/api/v1/businesses/${businessId}`, operatorToken],
  ['PUT', `/api/v1/businesses/${businessId}/members/${randomUUID()}`, ownerToken],
  ['POST', `/api/v1/businesses/${businessId}/members/${randomUUID()}/revoke-tokens`, ownerToken],
  ['POST', '/api/v1/keys/rotate', operatorToken],
]

test('no operation has a fault in it for any hostile body', async () => {
  const bodies: readonly (string | Uint8Array<ArrayBuffer>)[] = [
    '[',
    '{"name":',
    '{"name":NaN}',
    '{"name":"a","expires_in_days":1e400}',
    '{"name":"a","expires_in_days":-Infinity}',
    '{"name":"\\ud800","token":"\\udfff","email":"\\ud800@b","reason":"\\ud800","alg":"\\ud800","scopes":["\\ud800"]}',
    '{"__proto__":{"name":"a"},"constructor":1,"toString":2}',
    '{"__proto__":null}',
    `${'['.repeat(30_000)}${']'.repeat(30_000)}`,
    `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
    `{"name":${'['.repeat(100)}${']'.repeat(100)}}`,
    '"\\u0000"',
    'true',
    '0',
    '1e999999',
    '[[[[]]]]',
    new Uint8Array([0xff, 0xfe, 0x22]),
    new Uint8Array([0x22, 0xc3, 0x28, 0x22]),
    new Uint8Array(64 * KIB).fill(0x20),
  ]
  for (const [method, path, token] of BODIES) {
    for (const body of bodies) {
      const headers = { 'content-type': 'application/json' }
      const { status, text } = await call(method, path, { token, headers, body })
      assert.ok([200, 201, 400, 404, 422].includes(status), `${method} ${path} answered ${status} ${text}`)
    }
  }
})

test('numbers that JSON has no word for are told back in words, at the field they stand in', async () => {
  const post = (body: string) =>
    call('POST', '/api/v1/tokens', { headers: { 'content-type': 'application/json' }, body })
  for (const [literal, input] of [
    ['NaN', 'NaN'],
    ['Infinity', 'Infinity'],
    ['-Infinity', '-Infinity'],
    ['1e400', 'Infinity'],
    ['-1e400', '-Infinity'],
  ]) {
    const refused = expect(422, await post(`{"name":"a","expires_in_days":${literal}}`))
    assert.deepEqual(refused.json.detail, [
      {
        type: 'finite_number',
        loc: ['body', 'expires_in_days'],
        msg: 'Input should be a finite number',
        input,
      },
    ])
  }
})

test('a lone surrogate is a 422 at its field and is not stored', async () => {
  const headers = { 'content-type': 'application/json' }
  const answered = await call('POST', '/api/v1/tokens', { headers, body: '{"name":"\\ud800"}' })
  const [detail] = expect(422, answered).json.detail
  assert.deepEqual([detail.type, detail.loc], ['string_unicode', ['body', 'name']])
})

test('__proto__ is a field like any other: unknown, and ignored', async () => {
  const headers = { 'content-type': 'application/json' }
  const body = '{"name":"a","__proto__":{"description":"inherited","scopes":["operator"]}}'
  const { token_info } = expect(201, await call('POST', '/api/v1/tokens', { headers, body })).json.data
  assert.equal(token_info.description, null)
  const missing = await call('POST', '/api/v1/tokens', { headers, body: '{"__proto__":{"name":"a"}}' })
  assert.deepEqual(expect(422, missing).json.detail[0].loc, ['body', 'name'])
  expect(200, await call('GET', '/api/v1/tokens?__proto__=1&constructor=2&limit=5'))
})

test('a body of 64 KiB is read, one byte more is a 413, but only for the authenticated', async () => {
  const headers = { 'content-type': 'application/json' }
  const json = '{"name":"a"}'
  const fits = json.padEnd(64 * KIB)
  expect(201, await call('POST', '/api/v1/tokens', { headers, body: fits }))
  const refused = expect(413, await call('POST', '/api/v1/tokens', { headers, body: `${fits} ` }))
  assert.deepEqual(refused.json, { detail: ERRORS.body_too_large.detail })
  expect(401, await call('POST', '/api/v1/tokens', { token: null, headers, body: `${fits} ` }))
  // Without a length the body is measured as it comes.
  const request = encodeRequest(
    {
      method: 'POST',
      path: '/api/v1/tokens',
      authorization: [`Bearer ${ownerToken}`],
      headers: { 'x-business-id': businessId, 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
    },
    true,
  )
  const chunk = `${(8 * KIB).toString(16)}\r\n${' '.repeat(8 * KIB)}\r\n`
  const [chunked] = await sendRaw(url, Buffer.concat([request, Buffer.from(`${chunk.repeat(9)}0\r\n\r\n`)]))
  assert.equal(chunked?.status, 413)
})

test('a known path with another method is a 405 that names the ones it has', async () => {
  for (const [method, path, allow] of [
    ['DELETE', '/api/v1/tokens', 'GET, HEAD, POST'],
    ['PUT', `/api/v1/tokens/${randomUUID()}`, 'GET, HEAD'],
    ['GET', `/api/v1/tokens/${randomUUID()}/revoke`, 'POST'],
    ['PATCH', `/api/v1/businesses/${businessId}`, 'GET, HEAD, PUT'],
    ['POST', `/api/v1/businesses/${businessId}/members/${randomUUID()}`, 'DELETE, GET, HEAD, PUT'],
    ['GET', `/api/v1/businesses/${businessId}/revoke-tokens`, 'POST'],
    ['POST', '/api/v1/keys', 'GET, HEAD'],
    ['GET', '/api/v1/keys/rotate', 'POST'],
  ] as const) {
    const refused = expect(405, await call(method, path))
    assert.equal(refused.headers.get('allow'), allow)
    assert.deepEqual(refused.json, { detail: ERRORS.method_not_allowed.detail })
  }
})

test('an unknown path is a 404, with or without a token', async () => {
  for (const path of ['/', '/api', '/api/v1', '/api/v1/token', '/api/v2/tokens', '/api/v1//tokens']) {
    for (const token of [ownerToken, null]) {
      const refused = expect(404, await call('GET', path, { token }))
      assert.deepEqual(refused.json, { detail: ERRORS.route_not_found.detail })
    }
  }
})

test('HEAD answers as GET does, without the body', async () => {
  const { id } = issued(await call('POST', '/api/v1/tokens', { json: { name: 'x' } }))
  const get = await call('GET', `/api/v1/tokens/${id}`)
  const head = expect(200, await call('HEAD', `/api/v1/tokens/${id}`))
  assert.equal(head.text, '')
  assert.equal(head.headers.get('content-length'), get.headers.get('content-length'))
  expect(401, await call('HEAD', `/api/v1/tokens/${id}`, { token: null }))
})

test('ids in the path are UUIDs and nothing else', async () => {
  const ids = [
    'x',
    '..%2f',
    '%00',
    '%ff',
    '%',
    `${randomUUID()}0`,
    `{${randomUUID()}}`,
    randomUUID().replaceAll('-', ''),
    'a'.repeat(5000),
  ]
  for (const id of ids) {
    for (const [method, path] of [
      ['GET', `/api/v1/tokens/${id}`],
      ['POST', `/api/v1/tokens/${id}/revoke`],
      ['DELETE', `/api/v1/businesses/${businessId}/members/${id}`],
    ] as const) {
      expect(400, await call(method, path))
    }
  }
})

test('a business header that is not one UUID is a 400', async () => {
  for (const business of ['x', '', `${businessId}, ${businessId}`, `${businessId}x`, businessId.replaceAll('-', '')]) {
    const refused = expect(400, await call('GET', '/api/v1/tokens', { business }))
    assert.equal(refused.json.detail, ERRORS.business_header_invalid.detail)
  }
  expect(200, await call('GET', '/api/v1/tokens', { business: businessId.toUpperCase() }))
})

test('texts that look like commands are only texts', async () => {
  for (const name of [
    "'; DROP TABLE tokens; --",
    '<script>alert(1)</script>',
    '{{7*7}}',
    '\u202e',
    '%s%n',
    '\\',
    '"',
  ]) {
    const { data } = expect(201, await call('POST', '/api/v1/tokens', { json: { name } })).json
    assert.equal(data.token_info.name, name)
    assert.equal(expect(200, await call('GET', `/api/v1/tokens/${data.token_info.id}`)).json.data.name, name)
  }
})
