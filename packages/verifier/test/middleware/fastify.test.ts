import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import fastify, { type FastifyInstance } from 'fastify'
import { encodeRequest } from '../../../server/test/service/raw-http.ts'
import { protect } from '../../middleware/fastify.ts'
import type { Lifetime } from './applications.ts'
import { ask } from './ask.ts'
import { tokenWorld, USER_ID } from './token-world.ts'

for (const hook of ['onRequest', 'preValidation', 'preHandler'] as const) {
  test(`a route is protected as well as everything by ${hook}`, async (t) => {
    const world = tokenWorld()
    const ofRoute = fastify()
    ofRoute.get('/reports', { [hook]: protect(world.verifier) }, async ({ token }) => token.userId)
    const ofAll = fastify()
    ofAll.addHook(hook, protect(world.verifier))
    ofAll.get('/reports', async ({ token }) => token.userId)
    for (const app of [ofRoute, ofAll]) {
      const url = await started(t, app)
      assert.equal((await ask(url, [`Bearer ${world.good}`])).body, USER_ID)
      assert.equal((await ask(url, [`Bearer ${world.revoked}`])).status, 401)
    }
    assert.equal((await ofAll.inject('/nothing')).statusCode, 401)
  })
}

test('the handler does not run when the client of a refused request has hung up before the answer was out', async (t) => {
  const { verifier } = tokenWorld()
  const app = fastify()
  const sending = Promise.withResolvers<void>()
  const hungUp = Promise.withResolvers<void>()
  const goOn = Promise.withResolvers<void>()
  const ran: string[] = []
  app.addHook('onSend', async (_request, reply) => {
    reply.raw.once('close', hungUp.resolve)
    sending.resolve()
    await goOn.promise
  })
  const next = async () => void ran.push('the next hook')
  app.get('/reports', { onRequest: [protect(verifier), next] }, async () => ran.push('the handler'))
  const { hostname, port } = new URL(await started(t, app))
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.write(encodeRequest({ method: 'GET', path: '/reports' }, false))
  await sending.promise
  socket.destroy()
  await hungUp.promise
  await new Promise(setImmediate)
  goOn.resolve()
  await app.close()
  assert.deepEqual(ran, [])
})

test('headers that were set before stay, and none of them replaces one of the answer', async (t) => {
  const { verifier } = tokenWorld()
  const app = fastify()
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers({ 'access-control-allow-origin': '*', 'cache-control': 'public', 'www-authenticate': 'Basic' })
  })
  app.get('/reports', { preHandler: protect(verifier) }, async () => '')
  const { headers } = await ask(await started(t, app), [])
  assert.deepEqual(headers, [
    'access-control-allow-origin: *',
    'cache-control: no-store',
    'content-length: 30',
    'content-type: application/json',
    'www-authenticate: Bearer realm="rescind"',
  ])
})

test('injected requests are decided on like all others', async (t) => {
  const world = tokenWorld()
  const app = fastify()
  t.after(() => app.close())
  app.get('/reports', { onRequest: protect(world.verifier) }, async ({ token }) => token.userId)
  const inject = (token: string) => app.inject({ url: '/reports', headers: { authorization: `Bearer ${token}` } })
  assert.equal((await inject(world.good)).body, USER_ID)
  assert.equal((await inject(world.revoked)).statusCode, 401)
})

async function started(t: Lifetime, app: FastifyInstance): Promise<string> {
  t.after(() => app.close())
  return app.listen({ port: 0, host: '127.0.0.1' })
}
