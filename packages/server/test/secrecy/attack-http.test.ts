import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { createHttpClient, type HttpClient } from '../service/http-client.ts'
import { serveInstallation } from '../service/installation-client.ts'
import { encodeRequest, pipeline, type RawAnswer, sendRaw } from '../service/raw-http.ts'
import { serve } from '../service/service-process.ts'
import { claimsOf, type Forgery, forgeries, mintPayload } from './attack-tokens.ts'
import { openStoredSigningKeys } from './stored-signing-keys.ts'

const SEED = Number(process.env.RESCIND_TEST_SEED ?? 20_261_122)
const TARGET = { method: 'GET', path: '/api/v1/tokens?limit=1' }

test('every forged token is answered by the one 401, and online by a rejection', async (t) => {
  const installation = await serveInstallation(t)
  const stranger = await serveInstallation(t)
  const { operatorToken, dataDir } = installation
  const business = await installation.createBusiness('member')
  const genuine = async () => {
    const answer = await business.member(0).issue()
    assert.equal(answer.status, 201, answer.text)
    return String(answer.json.data.token)
  }
  const post = (path: string, json: object = {}) =>
    installation.client.send({ method: 'POST', path: `/api/v1${path}`, token: operatorToken, json })

  const first = await genuine()
  const kidOfRetired = (await post('/keys/rotate', { alg: 'EdDSA' })).json.data.kid
  const ofRetired = await genuine()
  assert.equal((await post('/keys/rotate', { alg: 'ES256' })).status, 200)
  const elliptic = await genuine()
  assert.equal((await post(`/keys/${kidOfRetired}/retire`)).status, 200)
  await installation.service.stop()
  const [firstKey, retiredKey, ellipticKey] = await openStoredSigningKeys(dataDir)
  if (!firstKey || !retiredKey || !ellipticKey) throw new Error('There should be three keys.')

  const service = await serve(t, { dataDir })
  const client = createHttpClient(service.url)
  t.after(() => client.close())
  const ask = async (token: string) => {
    const answer = await client.send({
      method: 'POST',
      path: '/api/v1/tokens/verify',
      token: operatorToken,
      json: { token },
    })
    assert.equal(answer.status, 200, answer.text)
    return answer.json.data
  }
  const headers = { 'x-business-id': business.id }
  const call = async (...authorization: (string | Uint8Array)[]) => {
    const [answer, ...more] = await pipeline(service.url, [{ ...TARGET, headers, authorization }])
    assert.ok(answer !== undefined && more.length === 0)
    return answer
  }

  await t.test('genuine tokens, and those minted here in the same way, are accepted', async () => {
    for (const [key, token] of [
      [firstKey, first],
      [ellipticKey, elliptic],
    ] as const) {
      for (const each of [token, mintPayload(key, JSON.stringify(claimsOf(token)))]) {
        assert.equal((await call(`Bearer ${each}`)).status, 200)
        assert.equal((await ask(each)).status, 'valid')
      }
    }
  })

  const refused = await call('Bearer x')
  assert.equal(refused.status, 401)
  assert.equal(refused.body, '{"detail":"Not authenticated"}')
  const same = (answer: RawAnswer, name: string) => assert.deepEqual(comparable(answer), comparable(refused), name)

  await t.test('forged tokens', async () => {
    const claims = claimsOf(first)
    const own: Forgery[] = [
      { name: 'a token of another installation', token: stranger.ownerToken },
      { name: 'a genuine token of a retired key', token: ofRetired },
      { name: 'a new token of a retired key', token: mintPayload(retiredKey, JSON.stringify(claims)) },
      { name: 'the claims of one token under the signature of another', token: crossed(first, elliptic) },
    ]
    const all = [...own, ...forgeries(firstKey, first), ...forgeries(ellipticKey, elliptic)]
    for (const { name, token } of all) {
      same(await call(`Bearer ${token}`), name)
      assert.equal((await ask(token)).status, 'rejected', name)
    }
    t.diagnostic(`${all.length} forged tokens`)
  })

  await t.test('a well-signed token that was never recorded is refused', async () => {
    const claims = claimsOf(first)
    const unknown = [
      { jti: randomUUID() },
      { status: { status_list: { ...claims.status.status_list, idx: 1_000_000 } } },
      { status: { status_list: { ...claims.status.status_list, idx: claims.status.status_list.idx + 1 } } },
    ]
    for (const change of unknown) {
      same(
        await call(`Bearer ${mintPayload(firstKey, JSON.stringify({ ...claims, ...change }))}`),
        JSON.stringify(change),
      )
    }
  })

  await t.test('a good token in a bad Authorization header', async () => {
    const values: (string | Uint8Array)[][] = [
      [`Bearer ${first}`, `Bearer ${first}`],
      [`Bearer ${first}`, `Bearer ${elliptic}`],
      [`Bearer ${first}`, 'Bearer x'],
      ['Bearer x', `Bearer ${first}`],
      [`Bearer ${first}`, 'Basic eDp5'],
      [`Bearer ${first}`, ''],
      [`Bearer ${first}, Bearer ${first}`],
      [`Bearer ${first} ${first}`],
      [`Bearer Bearer ${first}`],
      [`Bearer\t${first}`],
      [`Bearer${first}`],
      [`Basic ${first}`],
      [`Token ${first}`],
      [`DPoP ${first}`],
      [`Basic ${Buffer.from(`:${first}`).toString('base64')}`],
      [first],
      ['Bearer'],
      [`Bearer "${first}"`],
      [`Bearer token=${first}`],
      [Buffer.concat([Buffer.from(`Bearer ${first}`), Buffer.from([0xff])])],
      [Buffer.concat([Buffer.from('Bearer '), Buffer.from([0xc3, 0xa9]), Buffer.from(first)])],
      [Buffer.concat([Buffer.from(`Bearer ${first}`), Buffer.from([0xc2, 0xa0])])],
      [`Bearer ${'A'.repeat(9000)}`],
    ]
    for (const value of values) same(await call(...value), JSON.stringify(value.map(String)).slice(0, 60))
    for (const path of [`/api/v1/tokens?access_token=${first}`, `/api/v1/tokens?token=${first}`]) {
      const [answer] = await pipeline(service.url, [
        { method: 'GET', path, headers: { ...headers, cookie: `token=${first}` } },
      ])
      assert.equal(answer?.status, 401)
    }
  })

  await t.test('every endpoint refuses them alike', async () => {
    const document = (await client.send({ method: 'GET', path: '/openapi.json' })).json
    const operations = Object.entries<Record<string, unknown>>(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
    )
    const secured = operations.filter(({ path }) => path.startsWith('/api/'))
    for (const { method, path } of secured) {
      const target = { method, path: path.replace(/{\w+}/g, randomUUID()), headers }
      const answers = await pipeline(service.url, [{ ...target, authorization: [`Bearer ${ofRetired}`] }])
      for (const answer of answers) same(answer, path)
    }
    assert.ok(secured.length > 10)
  })

  await t.test('no bytes in an Authorization header are accepted, or answered by anything but a refusal', async () => {
    const near = fc
      .array(
        fc.oneof(
          fc.constantFrom(first, 'Bearer ', 'bearer', 'dz_', '.', ...first.slice(3).split('.'), '\t', '\0'),
          fc.string(),
        ),
        { maxLength: 6 },
      )
      .map((parts) => Buffer.from(parts.join('')))
    const edited = fc
      .tuple(fc.nat({ max: first.length - 1 }), fc.uint8Array({ maxLength: 3 }), fc.nat({ max: 2 }))
      .map(([at, bytes, removed]) =>
        Buffer.concat([Buffer.from(`Bearer ${first.slice(0, at)}`), bytes, Buffer.from(first.slice(at + removed))]),
      )
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 300 }), near, edited)
    await fc.assert(
      fc.asyncProperty(bytes, async (value) => {
        fc.pre(!/^bearer +(\S+)[\t ]*$/i.exec(Buffer.from(value).toString('latin1').trim())?.[1]?.startsWith(first))
        const answers = await sendRaw(service.url, encodeRequest({ ...TARGET, headers, authorization: [value] }, true))
        assert.ok(answers.length > 0)
        for (const { status } of answers) assert.ok([400, 401, 404, 405].includes(status), String(status))
      }),
      { seed: SEED, numRuns: 400 },
    )
  })

  assert.equal((await call(`Bearer ${first}`)).status, 200)
  assert.deepEqual(await service.stop(), { code: 0, signal: null })
  assertNoFault(service.stderr())
  await assertIndependent(stranger.client, stranger.ownerToken, stranger.businessId)
})

/** An answer without what differs from request to request. */
function comparable({ status, headers, body }: RawAnswer) {
  const lasting = headers.filter(([name]) => !['date', 'x-request-id'].includes(name.toLowerCase()))
  return { status, headers: lasting, body }
}

function crossed(one: string, other: string): string {
  const [header, payload] = one.split('.')
  return [header, payload, other.split('.')[2]].join('.')
}

/** At the level the service ran with, only faults are logged. */
function assertNoFault(log: string): void {
  assert.equal(log, '')
}

async function assertIndependent(client: HttpClient, token: string, business: string): Promise<void> {
  assert.equal((await client.send({ ...TARGET, token, business })).status, 200)
}
