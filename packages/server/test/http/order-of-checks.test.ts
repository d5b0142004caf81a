import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { asOwner, BUSINESS, OTHER_BUSINESS, type Running, type Sent, send, startApp, TOKEN_ID } from './fixture.ts'

let running: Running
before(async () => {
  running = await startApp()
})
after(() => running.close())

const json = { 'content-type': 'application/json' }
const tooLarge = JSON.stringify({ reason: 'x'.repeat(70_000) })
const revoke = (id: string, headers: Record<string, string | string[]>, body?: string): Sent => ({
  method: 'POST',
  path: `/api/v1/tokens/${id}/revoke`,
  headers: { ...json, ...headers },
  body,
})
const save = (path: string, headers: Record<string, string>, body: string): Sent => ({
  method: 'PUT',
  path: `/api/v1/businesses/${path}`,
  headers: { ...json, ...headers },
  body,
})

/** Each request has every fault of the ones below it, too. */
const FAULTS: readonly [name: string, request: Sent, status: number, detail: string | null][] = [
  ['no credential', revoke('nope', {}, tooLarge), 401, 'Not authenticated'],
  ['a bad credential', revoke('nope', { authorization: 'Bearer x' }, tooLarge), 401, 'Not authenticated'],
  [
    'a node that may not decide',
    revoke('nope', { authorization: 'Bearer lapsed' }, tooLarge),
    503,
    'This node may not decide at the moment; retry',
  ],
  [
    'no business header',
    revoke('nope', { authorization: 'Bearer reader' }, tooLarge),
    400,
    'The x-business-id header is required',
  ],
  [
    'a business header that is no UUID',
    revoke('nope', { authorization: 'Bearer reader', 'x-business-id': 'b' }, tooLarge),
    400,
    'The x-business-id header must be one UUID',
  ],
  [
    'two business headers',
    revoke('nope', { authorization: 'Bearer reader', 'x-business-id': [BUSINESS, BUSINESS] }, tooLarge),
    400,
    'The x-business-id header must be one UUID',
  ],
  [
    "another business's header",
    revoke('nope', { authorization: 'Bearer reader', 'x-business-id': OTHER_BUSINESS }, tooLarge),
    403,
    'The token does not belong to this business',
  ],
  [
    'a missing scope',
    revoke('nope', { authorization: 'Bearer reader', 'x-business-id': BUSINESS }, tooLarge),
    403,
    'The token does not permit this',
  ],
  ['a path id that is no UUID', revoke('nope', asOwner, tooLarge), 400, 'The id in the path must be a UUID'],
  ['a body that is too large', revoke(TOKEN_ID, asOwner, tooLarge), 413, 'The body is larger than 64 KiB'],
  ['a body that does not fit', revoke(TOKEN_ID, asOwner, '{"reason":1}'), 422, null],
  [
    'a path id that is no UUID, before query and body',
    save('nope?limit=x', { authorization: 'Bearer operator' }, '{}'),
    400,
    'The id in the path must be a UUID',
  ],
]

for (const [name, request, status, detail] of FAULTS) {
  test(`${name} is answered ${status}`, async () => {
    const received = await send(running.port, request)
    assert.equal(received.status, status, received.text)
    if (detail !== null) assert.equal(received.text, JSON.stringify({ detail }))
    assert.equal(received.headers['content-type'], 'application/json')
    assert.equal(received.headers['retry-after'], status === 503 ? '1' : undefined)
  })
}

test('errors of the query and of the body come together, the query first', async () => {
  const received = await send(running.port, save(`${BUSINESS}?limit=x`, { authorization: 'Bearer operator' }, '{}'))
  assert.deepEqual(received.json?.detail, [
    {
      type: 'int_parsing',
      loc: ['query', 'limit'],
      msg: 'Input should be a valid integer, unable to parse string as an integer',
      input: 'x',
    },
    { type: 'missing', loc: ['body', 'name'], msg: 'Field required', input: {} },
  ])
})

test('a required parameter and a required body that are absent have no input to show', async () => {
  const received = await send(running.port, save(BUSINESS, { authorization: 'Bearer operator' }, 'null'))
  assert.deepEqual(received.json?.detail, [
    { type: 'missing', loc: ['query', 'limit'], msg: 'Field required', input: null },
    { type: 'missing', loc: ['body'], msg: 'Field required', input: null },
  ])
})

test('a challenge names an error only when a credential was presented', async () => {
  const challenge = async (headers: Record<string, string | string[]>) =>
    (await send(running.port, revoke(TOKEN_ID, headers))).headers['www-authenticate']
  assert.equal(await challenge({}), 'Bearer realm="rescind"')
  assert.equal(await challenge({ authorization: 'Bearer x' }), 'Bearer realm="rescind", error="invalid_token"')
})

test('of two Authorization headers neither counts', async () => {
  const twice = { ...asOwner, authorization: ['Bearer owner', 'Bearer owner'] }
  const received = await send(running.port, revoke(TOKEN_ID, twice))
  assert.equal(received.status, 401)
  assert.equal(received.text, '{"detail":"Not authenticated"}')
})

test('UUIDs are read in any case and handed on in lower case', async () => {
  const upper = {
    authorization: 'Bearer owner',
    'x-request-id': 'upper-case-ids',
    'x-business-id': BUSINESS.toUpperCase(),
  }
  const { json: answer } = await send(running.port, revoke(TOKEN_ID.toUpperCase(), upper))
  assert.deepEqual(answer?.data, {
    params: { token_id: TOKEN_ID },
    body: null,
    businessId: BUSINESS,
    claimedEmail: null,
    requestId: 'upper-case-ids',
  })
})

test('a path id as long as a URL can be is still judged as an id', async () => {
  const received = await send(running.port, revoke('a'.repeat(15_000), asOwner))
  assert.equal(received.status, 400)
  assert.equal(received.text, '{"detail":"The id in the path must be a UUID"}')
})

test('the claimed email is lower case, without tokens and of bounded length', async () => {
  const claimed = async (email: string) => {
    const { json: answer } = await send(running.port, revoke(TOKEN_ID, { ...asOwner, 'x-user-email': email }))
    assert.ok(answer)
    return (answer.data as { claimedEmail: string | null }).claimedEmail
  }
  const token = ['dz_eyJ', 'a'.repeat(20), '.', 'b'.repeat(20), '.', 'c'.repeat(20)].join('')
  assert.equal(await claimed(' Ada@Example.ORG '), 'ada@example.org')
  assert.equal(await claimed(' '), null)
  assert.equal(await claimed(token), '[redacted token]')
  assert.equal((await claimed(`${'a'.repeat(5000)}@b.c`))?.length, 321)
})
