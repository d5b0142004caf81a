import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualTime } from '../../../protocol/test/manual-time.ts'
import { ExpiryWatch } from '../../expiry-watch.ts'
import type { Verdict, VerifierError } from '../../index.ts'
import { next, sdkWorld } from './sdk-world.ts'

const reasonOf = (verdict: Verdict) => (verdict.status === 'valid' ? 'valid' : verdict.reason)
const HOUR_MS = 60 * 60 * 1000
const DAY_MS = 24 * HOUR_MS

test('a verifier tells when its own token nears its end', async (t) => {
  const world = await sdkWorld(t)
  const short = await world.operatorToken({ scopes: ['feed'], expires_in_days: 1 })
  for (const mode of ['attached', 'online'] as const) {
    world.aheadMs = 0
    const fresh = await world.verifier({ token: short.token, mode })
    fresh.on('expiring', () => assert.fail('there is a day left'))
    world.aheadMs = 22 * HOUR_MS
    const verifier = await world.verifier({ token: short.token, mode })
    const [{ expiresAtMs }] = await next(verifier, 'expiring')
    assert.equal(expiresAtMs, verifier.status().credentialExpiresAtMs)
    await fresh.close()
  }
})

test('a verifier tells of the end of its token, too, when no other one is handed out', async (t) => {
  const world = await sdkWorld(t)
  const short = await world.operatorToken({ scopes: ['feed'], expires_in_days: 1 })
  const handedOut = [short.token]
  world.aheadMs = 22 * HOUR_MS
  const token = async () => handedOut.pop() ?? new Promise<string>(() => {})
  const verifier = await world.verifier({ token, askTimeoutMs: 50 })
  await next(verifier, 'expiring')
})

test('a token that is handed out anew replaces the one that nears its end, and nothing lapses', async (t) => {
  const world = await sdkWorld(t)
  const short = await world.operatorToken({ scopes: ['feed'], expires_in_days: 1 })
  const long = await world.operatorToken({ scopes: ['feed'], expires_in_days: 90 })
  const handedOut = [short.token]
  world.aheadMs = 22 * HOUR_MS
  const verifier = await world.verifier({ token: async () => handedOut.pop() ?? long.token })
  verifier.on('expiring', () => assert.fail('there is another token'))
  const { token } = await world.token()
  while (verifier.status().counters.connections < 2 || !verifier.status().connected) {
    assert.equal(reasonOf(await verifier.verify(token)), 'valid')
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { lapses, asked } = verifier.status().counters
  assert.deepEqual({ lapses, asked }, { lapses: 0, asked: 0 })
  assert.ok((verifier.status().credentialExpiresAtMs ?? 0) > Date.now() + 80 * DAY_MS)
})

test('a verifier whose token is revoked decides nothing more, and says why', async (t) => {
  const world = await sdkWorld(t)
  const own = await world.operatorToken({ scopes: ['feed'] })
  const verifier = await world.verifier({ token: own.token })
  const { token } = await world.token()
  assert.equal(reasonOf(await verifier.verify(token)), 'valid')
  const trouble = next(verifier, 'trouble')
  await world.revoke(own, world.service.operatorToken)
  assert.equal((await trouble)[0].code, 'credential_ended')
  assert.deepEqual(await verifier.verify(token), { status: 'undecided', reason: 'refused' })
})

test('a verifier whose token was revoked goes on with the next that it is handed', async (t) => {
  const world = await sdkWorld(t)
  const tokens = [await world.operatorToken({ scopes: ['feed'] }), await world.operatorToken({ scopes: ['feed'] })]
  let current = 0
  const verifier = await world.verifier({ token: () => tokens[current]?.token ?? '' })
  const caughtUp = next(verifier, 'caught-up')
  current = 1
  await world.revoke(tokens[0] ?? { id: '' }, world.service.operatorToken)
  await caughtUp
  assert.equal(verifier.status().deciding, true)
})

test('online, a token that was revoked is told of once and replaced by the next that is handed out', async (t) => {
  const world = await sdkWorld(t)
  const tokens = [
    await world.operatorToken({ scopes: ['introspect'] }),
    await world.operatorToken({ scopes: ['introspect'] }),
  ]
  let current = 0
  const verifier = await world.verifier({ mode: 'online', token: () => tokens[current]?.token ?? '' })
  const told: VerifierError[] = []
  verifier.on('trouble', (error) => told.push(error))
  const { token } = await world.token()
  assert.equal(reasonOf(await verifier.verify(token)), 'valid')
  await world.revoke(tokens[0] ?? { id: '' }, world.service.operatorToken)
  assert.equal(reasonOf(await verifier.verify(token)), 'refused')
  assert.equal(reasonOf(await verifier.verify(token)), 'refused')
  assert.deepEqual(
    told.map(({ code }) => code),
    ['credential_refused'],
  )
  current = 1
  world.aheadMs += 1_000
  assert.equal(reasonOf(await verifier.verify(token)), 'refused')
  assert.equal(reasonOf(await verifier.verify(token)), 'valid')
})

test('a token is watched to its end, more closely as that comes nearer, and no timer is too long', () => {
  const time = new ManualTime()
  const issuedAtMs = time.nowMs()
  const credential = { issuedAtMs, expiresAtMs: issuedAtMs + 365 * DAY_MS }
  const toldDays: number[] = []
  const longest: number[] = []
  const watch = new ExpiryWatch({
    credential,
    clocks: time,
    timers: {
      after: (delayMs, run) => {
        longest.push(delayMs)
        return time.after(delayMs, run)
      },
    },
    onExpiring: (expiresAtMs) => toldDays.push((expiresAtMs - time.nowMs()) / DAY_MS),
  })
  watch.watch()
  watch.watch()
  time.advance(400 * DAY_MS)
  assert.ok(Math.max(...longest) <= DAY_MS)
  assert.equal(Math.round(toldDays[0] ?? 0), 14)
  assert.ok(toldDays.length > 8 && toldDays.length < 30, `${toldDays.length} times`)
  assert.deepEqual(
    toldDays,
    toldDays.toSorted((a, b) => b - a),
  )
  assert.equal(time.pending, 0)
})
