import assert from 'node:assert/strict'
import { cp, rm } from 'node:fs/promises'
import { test } from 'node:test'
import { openLink } from '../../../server/test/feed/link.ts'
import { openFeedSocket, type Verdict } from '../../index.ts'
import { next, sdkWorld } from './sdk-world.ts'

const reasonOf = (verdict: Verdict) => (verdict.status === 'valid' ? 'valid' : verdict.reason)

test('a verifier whose lease has lapsed asks the service, but for what it knows to be revoked', async (t) => {
  const world = await sdkWorld(t)
  const verifier = await world.verifier()
  const [good, bad] = [await world.token(), await world.token()]
  await world.revoke(bad)
  world.lapse()
  assert.equal(verifier.status().deciding, false)
  assert.equal(verifier.status().leaseLeftMs, 0)
  assert.equal(reasonOf(await verifier.verify(good.token)), 'valid')
  assert.equal(reasonOf(await verifier.verify(bad.token)), 'revoked')
  assert.equal(verifier.status().counters.asked, 1)
})

test('what cannot be asked is undecided, and neither accepted nor rejected', async (t) => {
  const world = await sdkWorld(t)
  const verifier = await world.verifier({ askTimeoutMs: 500 })
  const { token } = await world.token()
  await world.service.stop()
  assert.equal(reasonOf(await verifier.verify(token)), 'valid')
  world.lapse()
  assert.equal(reasonOf(await verifier.verify(token)), 'unreachable')
  assert.equal(reasonOf(await verifier.verify(token, { scopes: ['none'] })), 'unreachable')
  // What no service is needed for is still said.
  assert.equal(reasonOf(await verifier.verify(`${token}x`)), 'malformed')
  assert.equal(reasonOf(await verifier.verify(undefined)), 'no_credential')
})

test('a verifier that may not ask leaves everything undecided while it has no lease', async (t) => {
  const world = await sdkWorld(t)
  const verifier = await world.verifier({ onLapse: 'reject' })
  const { token } = await world.token()
  world.lapse()
  assert.deepEqual(await verifier.verify(token), { status: 'undecided', reason: 'lapsed' })
  assert.equal(world.questions, 0)
})

test('each verification asks for itself, also while the same is being asked', async (t) => {
  const world = await sdkWorld(t)
  const verifier = await world.verifier({ mode: 'online' })
  const { token } = await world.token()
  const before = world.questions
  const verdicts = await Promise.all(Array.from({ length: 10 }, () => verifier.verify(token)))
  assert.ok(verdicts.every(({ status }) => status === 'valid'))
  assert.equal(world.questions - before, 10)
})

test('questions that wait for the service are bounded', async (t) => {
  const world = await sdkWorld(t)
  let isHanging = false
  const environment = world.environment()
  const verifier = await world.verifier({
    mode: 'online',
    askTimeoutMs: 300,
    environment: {
      fetch: (input, init) =>
        isHanging
          ? new Promise((_resolve, reject) =>
              init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)),
            )
          : environment.fetch(input, init),
    },
  })
  const { token } = await world.token()
  isHanging = true
  const reasons = (await Promise.all(Array.from({ length: 300 }, () => verifier.verify(token)))).map(reasonOf)
  assert.equal(reasons.filter((reason) => reason === 'overloaded').length, 300 - 256)
  assert.equal(reasons.filter((reason) => reason === 'unreachable').length, 256)
  isHanging = false
  assert.equal(reasonOf(await verifier.verify(token)), 'valid')
})

test('a question whose connection was closed is put again, once', async (t) => {
  const world = await sdkWorld(t)
  const environment = world.environment()
  let toFail = 0
  const verifier = await world.verifier({
    mode: 'online',
    environment: {
      fetch: (input, init) => {
        toFail -= 1
        return toFail < 0 ? environment.fetch(input, init) : Promise.reject(new TypeError('fetch failed'))
      },
    },
  })
  const { token } = await world.token()
  toFail = 1
  assert.equal(reasonOf(await verifier.verify(token)), 'valid')
  toFail = 2
  assert.equal(reasonOf(await verifier.verify(token)), 'unreachable')
})

test('answers that are none leave a token undecided', async (t) => {
  const world = await sdkWorld(t)
  const { token } = await world.token()
  const claims = { iss: 'x', aud: 'x', iat: 1, exp: 2, scope: '', type: 'api', jti: '', sub: '', client_id: '' }
  const answers: readonly [number, string][] = [
    [503, '{"detail":"not now"}'],
    [500, 'oh'],
    [404, ''],
    [429, ''],
    [302, ''],
    [200, '{}'],
    [200, '{"data":null}'],
    [200, '{"data":{"status":"valid"}}'],
    [200, JSON.stringify({ data: { status: 'valid', ...claims } })],
    [200, '{"data":{"status":"rejected","reason":"because"}}'],
    [200, '{"data":{"status":"undecided"}}'],
    [200, '<html>'],
  ]
  let answer: readonly [number, string] | undefined
  const environment = world.environment()
  const verifier = await world.verifier({
    mode: 'online',
    environment: {
      fetch: async (input, init) =>
        answer === undefined ? environment.fetch(input, init) : new Response(answer[1], { status: answer[0] }),
    },
  })
  for (answer of answers) assert.equal((await verifier.verify(token)).status, 'undecided', answer[1])
})

test('a verifier tells when its lease ends and when it decides again', async (t) => {
  const world = await sdkWorld(t, { leaseSeconds: 2 })
  const verifier = await world.verifier()
  const { token } = await world.token()
  const lapsed = next(verifier, 'lapsed')
  const caughtUp = next(verifier, 'caught-up')
  world.lapse()
  await Promise.all([lapsed, caughtUp])
  assert.equal(verifier.status().counters.lapses, 1)
  assert.equal(verifier.status().deciding, true)
  const { asked } = verifier.status().counters
  assert.equal(reasonOf(await verifier.verify(token)), 'valid')
  assert.equal(verifier.status().counters.asked, asked)
})

test('a verifier follows its service through a restart, and tells of the trouble', async (t) => {
  const world = await sdkWorld(t, { leaseSeconds: 2 })
  const verifier = await world.verifier()
  const issued = await world.token()
  const trouble = next(verifier, 'trouble')
  await world.service.stop()
  const [error] = await trouble
  assert.ok(['disconnected', 'not_ready', 'unreachable'].includes(error.code), error.code)
  assert.equal(verifier.status().connected, false)
  // The service stays until what it granted has ended.
  assert.equal((await verifier.verify(issued.token)).status, 'undecided')
  const caughtUp = next(verifier, 'caught-up')
  world.service = await world.service.restart()
  await caughtUp
  assert.equal(reasonOf(await verifier.verify(issued.token)), 'valid')
  await world.revoke(issued)
  assert.equal(reasonOf(await verifier.verify(issued.token)), 'revoked')
})

test('a verifier tells of a connection that breaks, and makes another', async (t) => {
  const world = await sdkWorld(t)
  const link = await openLink(t, world.service.url)
  const environment = { ...world.environment(), connect: openFeedSocket }
  const verifier = await world.verifier({ url: link.url, environment })
  const trouble = next(verifier, 'trouble')
  link.cut()
  link.mend()
  assert.equal((await trouble)[0].code, 'disconnected')
  while (!verifier.status().connected) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(verifier.status().counters.lapses, 0)
})

test('a service with an older log is united with what the verifier knew', async (t) => {
  const world = await sdkWorld(t, { leaseSeconds: 2 })
  const kept = await world.token()
  const lost = await world.token()
  const verifier = await world.verifier()
  const { dataDir } = world.service
  await world.service.stop()
  await cp(dataDir, `${dataDir}-copy`, { recursive: true })
  const attached = next(verifier, 'caught-up')
  world.service = await world.service.restart()
  await attached
  await world.revoke(lost)
  await world.service.stop()
  await rm(dataDir, { recursive: true })
  await cp(`${dataDir}-copy`, dataDir, { recursive: true })
  await rm(`${dataDir}-copy`, { recursive: true })
  const resynced = next(verifier, 'resynced')
  const caughtUp = next(verifier, 'caught-up')
  world.service = await world.service.restart()
  assert.equal(reasonOf(await verifier.verify(lost.token)), 'revoked')
  await Promise.all([resynced, caughtUp])
  // The service itself does not know any more that this was revoked.
  assert.equal(reasonOf(await verifier.verify(lost.token)), 'revoked')
  assert.equal(reasonOf(await verifier.verify(kept.token)), 'valid')
})
