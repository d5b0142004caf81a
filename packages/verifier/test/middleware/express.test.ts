import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import express from 'express'
import { protect } from '../../middleware/express.ts'
import { listening } from './applications.ts'
import { ask } from './ask.ts'
import { tokenWorld, USER_ID } from './token-world.ts'

test('what fails is handed on even where nobody waits for a middleware', async (t) => {
  const world = tokenWorld()
  const businessId = () => Promise.reject(new Error('out of order'))
  const guard = protect(world.verifier, { businessId })
  const server = createServer((request, response) => {
    // Nothing is done with what comes back, as in Express 4.
    void guard(request, response, (error) => response.end(error instanceof Error ? error.message : 'let in'))
  })
  const url = await listening(t, server)
  assert.equal((await ask(url, [`Bearer ${world.good}`])).body, 'out of order')
})

test('an answer that has begun already is not let in, and goes to the error handling', async (t) => {
  const { verifier } = tokenWorld()
  const guard = protect(verifier)
  const passed: unknown[] = []
  const server = createServer(async (request, response) => {
    response.writeHead(202).flushHeaders()
    await guard(request, response, (error) => passed.push(error))
    response.end()
  })
  assert.equal((await ask(await listening(t, server), [])).status, 202)
  assert.equal(passed.length, 1)
  assert.ok(passed[0] instanceof Error)
})

test('one middleware protects everything below it, and a second one demands more', async (t) => {
  const world = tokenWorld()
  const app = express()
  app.use(protect(world.verifier))
  app.get('/reports', protect(world.verifier, { scopes: ['reports:read'] }), ({ token }, response) => {
    response.send(token.userId)
  })
  const url = await listening(t, createServer(app))
  assert.equal((await ask(url, [`Bearer ${world.good}`])).body, USER_ID)
  assert.equal((await ask(url, [`Bearer ${world.scopeless}`])).status, 403)
  assert.equal((await ask(url, [])).status, 401)
  assert.equal((await fetch(`${url}/nothing`)).status, 401)
})

test('headers that were set before stay, and none of them replaces one of the answer', async (t) => {
  const { verifier } = tokenWorld()
  const app = express()
  app.use((_request, response, next) => {
    response.set({ 'access-control-allow-origin': '*', 'cache-control': 'public', 'www-authenticate': 'Basic' })
    next()
  })
  app.get('/reports', protect(verifier))
  const { headers } = await ask(await listening(t, createServer(app)), [])
  assert.deepEqual(headers, [
    'access-control-allow-origin: *',
    'cache-control: no-store',
    'content-length: 30',
    'content-type: application/json',
    'www-authenticate: Bearer realm="rescind"',
  ])
})

test('a header that the application puts there counts, unless the client sent several', async (t) => {
  const world = tokenWorld()
  const app = express()
  app.use((request, _response, next) => {
    request.headers.authorization = `Bearer ${world.good}`
    next()
  })
  app.get('/reports', protect(world.verifier), ({ token }, response) => void response.send(token.userId))
  const url = await listening(t, createServer(app))
  assert.equal((await ask(url, [])).status, 200)
  assert.equal((await ask(url, [`Bearer ${world.revoked}`])).status, 200)
  assert.equal((await ask(url, [`Bearer ${world.good}`, `Bearer ${world.good}`])).status, 401)
})
