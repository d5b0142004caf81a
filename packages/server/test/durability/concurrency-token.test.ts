import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientAnswer, HttpClient } from '../service/http-client.ts'
import { type ServedBusiness, serveInstallation, use } from '../service/installation-client.ts'
import { encodeRequest, openSocket, pipeline } from '../service/raw-http.ts'

const WIDTH = 16

test('requests that race on one token or one quota', async (t) => {
  const installation = await serveInstallation(t)
  const { client, operatorToken, ownerToken, businessId, service } = installation
  const issueOwn = async () => {
    const request = { method: 'POST', path: '/api/v1/tokens', token: ownerToken, business: businessId }
    const answer = await client.send({ ...request, json: { name: 'own' } })
    assert.equal(answer.status, 201, answer.text)
    return { token: String(answer.json.data.token), id: String(answer.json.data.token_info.id) }
  }
  const auth = (token: string) => ({ authorization: [`Bearer ${token}`], headers: { 'x-business-id': businessId } })

  await t.test('of many revocations of one token exactly one is the first, and all tell its data', async () => {
    for (const count of [2, 2, 2, 50]) {
      const { id } = await issueOwn()
      const answers = await Promise.all(
        Array.from({ length: count }, (_, at) =>
          client.send({
            method: 'POST',
            path: `/api/v1/tokens/${id}/revoke`,
            token: at % 2 === 0 ? ownerToken : operatorToken,
            business: businessId,
            ...(at % 2 === 1 && { headers: { 'x-user-email': 'owner@localhost' } }),
            json: { reason: `reason ${at}` },
          }),
        ),
      )
      assertOneFirst(answers)
    }
    const { id } = await issueOwn()
    const path = `/api/v1/tokens/${id}/revoke`
    const requests = [1, 2, 3].map((at) => ({
      method: 'POST',
      path,
      ...auth(ownerToken),
      headers: { 'x-business-id': businessId, 'content-type': 'application/json' },
      body: JSON.stringify({ reason: `reason ${at}` }),
    }))
    const answers = await pipeline(service.url, requests)
    assertOneFirst(answers.map(({ status, body }) => ({ status, json: JSON.parse(body) })))
    assert.equal(JSON.parse(answers[0]?.body ?? '').code, 'TOKEN_REVOKED')
  })

  await t.test(
    'of fifty tokens asked for at once a member gets ten, and each one revoked makes room for one',
    async () => {
      const business = await installation.createBusiness('member')
      const member = business.member(0)
      const issueFifty = () => Promise.all(Array.from({ length: 50 }, () => member.issue()))
      const first = await issueFifty()
      const granted = first.filter(({ status }) => status === 201)
      assert.equal(granted.length, 10)
      assert.ok(first.every(({ status }) => status === 201 || status === 400))

      const revoke = (answer: ClientAnswer) =>
        client.send({
          method: 'POST',
          path: `/api/v1/tokens/${answer.json.data.token_info.id}/revoke`,
          token: operatorToken,
          business: business.id,
          headers: { 'x-user-email': member.email },
        })
      await Promise.all(granted.slice(0, 3).map(revoke))
      const second = (await issueFifty()).filter(({ status }) => status === 201)
      assert.equal(second.length, 3)
      const [third] = await Promise.all([issueFifty(), ...granted.slice(3).map(revoke)])
      const listed = await client.send({
        method: 'GET',
        path: '/api/v1/tokens?limit=1000',
        token: operatorToken,
        business: business.id,
        headers: { 'x-user-email': member.email },
      })
      const active = listed.json.data.items.length
      assert.ok(active <= 10)
      assert.equal(active, 3 + third.filter(({ status }) => status === 201).length)
    },
  )

  await t.test(
    'a token that revokes itself issues nothing in a request that comes behind on the same connection',
    async () => {
      for (const path of [undefined, 'member', 'business']) {
        const business = await installation.createBusiness('owner')
        const { userId, issue } = business.member(0)
        const { token, token_info: info } = (await issue()).json.data
        const member = `/api/v1/businesses/${business.id}/members/${userId}/revoke-tokens`
        const whole = `/api/v1/businesses/${business.id}/revoke-tokens`
        const revoke = path === undefined ? `/api/v1/tokens/${info.id}/revoke` : path === 'member' ? member : whole
        const shared = { authorization: [`Bearer ${token}`], headers: { 'x-business-id': business.id } }
        const json = { ...shared.headers, 'content-type': 'application/json' }
        const successor = {
          ...shared,
          method: 'POST',
          path: '/api/v1/tokens',
          headers: json,
          body: '{"name":"successor"}',
        }
        const itself = { ...shared, method: 'POST', path: revoke }
        const answers = await pipeline(service.url, [itself, successor, itself, successor])
        const statuses = answers.map(({ status }) => status)
        assert.deepEqual(statuses, [path === undefined ? 201 : 200, 401, 401, 401])
        // Refused inside the transaction, and not to be told from any other 401.
        for (const { headers } of answers.slice(1)) {
          const challenges = headers.filter(([name]) => name.toLowerCase() === 'www-authenticate')
          assert.deepEqual(
            challenges.map(([, value]) => value),
            ['Bearer realm="rescind", error="invalid_token"'],
          )
        }
      }
    },
  )

  await t.test('a token that revokes itself while many requests issue successors creates none afterwards', async () => {
    for (let round = 0; round < 5; round++) {
      const business = await installation.createBusiness('owner', 'owner')
      const { token, token_info: info } = (await business.member(0).issue()).json.data
      await raceSuccessors(client, operatorToken, business, token, info.id, round)
    }
  })

  await t.test('a revocation whose client hangs up is carried through', async () => {
    for (const body of [undefined, '{}', '{"reason":"hung up"}']) {
      for (const inTwo of [false, true]) {
        const { token, id } = await issueOwn()
        const headers = { 'x-business-id': businessId, 'content-type': 'application/json' }
        const request = {
          method: 'POST',
          path: `/api/v1/tokens/${id}/revoke`,
          headers,
          authorization: [`Bearer ${ownerToken}`],
        }
        const bytes = encodeRequest({ ...request, ...(body !== undefined && { body }) }, false)
        const split = inTwo ? bytes.length - (body?.length ?? 10) : bytes.length
        const socket = await openSocket(service.url)
        socket.setNoDelay(true)
        await written(socket, bytes.subarray(0, split))
        if (split < bytes.length) await written(socket, bytes.subarray(split))
        socket.destroy()
        const deadline = performance.now() + 10_000
        while ((await use(client, token, businessId)) !== 401)
          assert.ok(performance.now() < deadline, 'it was not revoked')
        const shown = await client.send({
          method: 'GET',
          path: `/api/v1/tokens/${id}`,
          token: ownerToken,
          business: businessId,
        })
        assert.equal(shown.json.data.revocation_reason, body?.includes('hung') ? 'hung up' : null)
      }
    }
    assert.deepEqual(await service.stop(), { code: 0, signal: null })
  })
})

async function written(socket: Awaited<ReturnType<typeof openSocket>>, bytes: Uint8Array): Promise<void> {
  await new Promise<void>((resolve) => socket.write(bytes, () => resolve()))
}

function assertOneFirst(answers: readonly Pick<ClientAnswer, 'status' | 'json'>[]): void {
  for (const { status } of answers) assert.equal(status, 201)
  const codes = answers.map(({ json }) => json.code)
  assert.equal(codes.filter((code) => code === 'TOKEN_REVOKED').length, 1)
  assert.equal(codes.filter((code) => code === 'TOKEN_ALREADY_REVOKED').length, answers.length - 1)
  const first = answers.find(({ json }) => json.code === 'TOKEN_REVOKED')?.json.data
  for (const { json } of answers) assert.deepEqual(json.data, first)
}

async function raceSuccessors(
  client: HttpClient,
  operatorToken: string,
  business: ServedBusiness,
  token: string,
  id: string,
  round: number,
): Promise<void> {
  const request = { method: 'POST', path: '/api/v1/tokens', token, business: business.id, json: { name: 'successor' } }
  const heirs = () =>
    client.send({
      method: 'GET',
      path: '/api/v1/tokens?limit=1000',
      token: operatorToken,
      business: business.id,
      headers: { 'x-user-email': business.member(0).email },
    })
  let revoked = false
  const successors = new Set<string>()
  const worker = async () => {
    for (;;) {
      const late = revoked
      const answer = await client.send(request)
      if (answer.status === 201) {
        assert.ok(!late, 'a dead token issued another')
        successors.add(answer.json.data.token_info.id)
      } else assert.ok(answer.status === 401 || answer.status === 400, answer.text)
      if (late) return
    }
  }
  const workers = Array.from({ length: WIDTH }, worker)
  for (let each = 0; each < round; each++) await use(client, operatorToken)
  const path = `/api/v1/tokens/${id}/revoke`
  const answer = await client.send({ method: 'POST', path, token, business: business.id })
  assert.equal(answer.status, 201)
  revoked = true
  const atOnce = (await heirs()).json.data.items.length
  await Promise.all(workers)
  const later = (await heirs()).json.data.items
  assert.equal(later.length, atOnce, 'a successor was created after the revocation was answered')
  assert.deepEqual(new Set(later.map((each: { id: string }) => each.id)), successors)
}
