import assert from 'node:assert/strict'
import type { Server } from 'node:http'
import { test } from 'node:test'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { protect } from '../../middleware/hono.ts'
import { listening } from './applications.ts'
import { ask } from './ask.ts'
import { type TokenWorld, tokenWorld, USER_ID } from './token-world.ts'

test('several headers are seen as well where the application is given nothing but the request', async (t) => {
  const world = tokenWorld()
  const app = reports(world)
  const url = await listening(t, createAdaptorServer({ fetch: (request) => app.fetch(request) }) as Server)
  assert.equal((await ask(url, [`Bearer ${world.good}`])).body, USER_ID)
  assert.equal((await ask(url, [`Bearer ${world.good}`, `Bearer ${world.good}`])).status, 401)
  assert.equal((await ask(url, [`Bearer ${world.good}`, 'Basic x'])).status, 401)
})

test('requests that come through no server are decided on like all others', async () => {
  const world = tokenWorld()
  const app = reports(world)
  const answerTo = (...authorization: readonly string[]) => {
    const headers = new Headers()
    for (const value of authorization) headers.append('authorization', value)
    return app.request('/reports', { headers })
  }
  assert.equal(await (await answerTo(`Bearer ${world.good}`)).text(), USER_ID)
  const refused: readonly string[][] = [
    [],
    [`Bearer ${world.revoked}`],
    [`Bearer ${world.good}`, `Bearer ${world.good}`],
    [`Bearer ${world.good}`, ''],
    ['', `Bearer ${world.good}`],
  ]
  for (const authorization of refused) {
    const answer = await answerTo(...authorization)
    assert.deepEqual([answer.status, await answer.text()], [401, '{"detail":"Not authenticated"}'])
  }
})

test('headers that were set before stay, and none of them replaces one of the answer', async (t) => {
  const { verifier } = tokenWorld()
  const before = { 'access-control-allow-origin': '*', 'cache-control': 'public', 'www-authenticate': 'Basic' }
  for (const where of ['in the context', 'in the answer'] as const) {
    const app = new Hono()
    app.use(async (c, next) => {
      for (const [name, value] of Object.entries(before)) {
        if (where === 'in the context') c.header(name, value)
        else c.res.headers.set(name, value)
      }
      await next()
    })
    app.get('/reports', protect(verifier))
    const { headers } = await ask(await listening(t, createAdaptorServer({ fetch: app.fetch }) as Server), [])
    assert.deepEqual(
      headers.filter((line) => !/^(content-length|transfer-encoding)/.test(line)),
      [
        'access-control-allow-origin: *',
        'cache-control: no-store',
        'content-type: application/json',
        'www-authenticate: Bearer realm="rescind"',
      ],
      where,
    )
  }
})

test('one middleware protects everything below it, and a second one demands more', async () => {
  const world = tokenWorld()
  const app = new Hono()
    .use(protect(world.verifier))
    .get('/reports', protect(world.verifier, { scopes: ['reports:read'] }), (c) => c.text(c.var.token.userId))
  const statusOf = async (path: string, token: string) =>
    (await app.request(path, { headers: { authorization: `Bearer ${token}` } })).status
  assert.equal(await statusOf('/reports', world.good), 200)
  assert.equal(await statusOf('/reports', world.scopeless), 403)
  assert.equal(await statusOf('/nothing', world.revoked), 401)
})

function reports({ verifier }: TokenWorld) {
  return new Hono().get('/reports', protect(verifier), (c) => c.text(c.get('token').userId))
}
