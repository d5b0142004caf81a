import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sdkWorld } from '../sdk/sdk-world.ts'
import { APPLICATIONS } from './applications.ts'
import { ask } from './ask.ts'

const OTHER_BUSINESS_ID = '01a20489-2818-72c4-8442-e9126c96b88b'

for (const [name, start] of Object.entries(APPLICATIONS)) {
  test(`${name}: behind a verifier that follows a service, a token ends with the answer to its revocation`, async (t) => {
    const world = await sdkWorld(t)
    const issued = await world.token({ scopes: ['reports:read'] })
    const url = await start(t, {
      verifier: await world.verifier(),
      scopes: ['reports:read'],
      businessId: (header) => header('x-business-id'),
      handle: ({ id }) => id,
    })
    const headers = { 'x-business-id': world.service.businessId }
    assert.equal((await ask(url, [`Bearer ${issued.token}`], { headers })).body, issued.id)
    await world.revoke(issued)
    assert.equal((await ask(url, [`Bearer ${issued.token}`], { headers })).status, 401)
  })

  test(`${name}: a request is refused with the words of the service itself`, async (t) => {
    const world = await sdkWorld(t)
    const url = await start(t, {
      verifier: await world.verifier(),
      scopes: ['tokens:read'],
      businessId: (header) => header('x-business-id'),
      handle: ({ id }) => id,
    })
    const { token } = await world.token({ scopes: ['reports:read'] })
    const business = world.service.businessId
    const requests: readonly (readonly [presented: string | null, business: string, status: number])[] = [
      [null, business, 401],
      ['dz_no.token', business, 401],
      [token, OTHER_BUSINESS_ID, 403],
      [token, business, 403],
    ]
    for (const [presented, named, status] of requests) {
      const headers = { 'x-business-id': named }
      const here = await ask(url, presented === null ? [] : [`Bearer ${presented}`], { headers })
      const there = await world.service.call('GET', '/api/v1/tokens', { token: presented, business: named })
      assert.deepEqual([here.status, there.status, here.body], [status, status, there.text])
      for (const name of ['content-type', 'cache-control', 'www-authenticate']) {
        const line = here.headers.find((each) => each.startsWith(name)) ?? ''
        assert.equal(line.slice(name.length + 2), there.headers.get(name) ?? '', name)
      }
    }
  })

  test(`${name}: behind a verifier whose lease has ended, nothing is decided`, async (t) => {
    const world = await sdkWorld(t)
    const { token } = await world.token()
    const reasons: string[] = []
    const url = await start(t, {
      verifier: await world.verifier({ onLapse: 'reject' }),
      onRefused: ({ reason }) => reasons.push(reason),
      handle: ({ id }) => id,
    })
    world.lapse()
    assert.equal((await ask(url, [`Bearer ${token}`])).status, 503)
    assert.deepEqual(reasons, ['lapsed'])
  })
}
