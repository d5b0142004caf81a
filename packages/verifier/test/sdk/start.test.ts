import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { after, before, type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import { openFeedSocket } from '../../core/index.ts'
import {
  createVerifier,
  type Environment,
  VerifierError,
  type VerifierErrorCode,
  type VerifierOptions,
} from '../../index.ts'
import { type SdkWorld, sdkWorld } from './sdk-world.ts'

const ends: (() => Promise<unknown>)[] = []
let world: SdkWorld

before(async () => {
  world = await sdkWorld({ after: (end) => ends.unshift(end) })
})
after(async () => {
  for (const end of ends) await end()
})

/** Resolves with the error that creating a verifier ends in. */
async function refused(options: Partial<VerifierOptions>): Promise<VerifierError> {
  const { url } = world.service
  const created = createVerifier({ url, token: world.feedToken, startTimeoutMs: 5_000, ...options })
  const error = await created.then(
    () => assert.fail('it was created'),
    (error: unknown) => error,
  )
  assert.ok(error instanceof VerifierError, inspect(error))
  return error
}

async function listening(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close().closeAllConnections())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const answering = (status: number, headers = {}) => {
  const listener: RequestListener = (_request, response) => void response.writeHead(status, headers).end('<p>')
  return listener
}

test('a verifier is there once it may decide, at whatever path its service is', async (t) => {
  const verifier = await createVerifier({ url: new URL(world.service.url), token: world.feedToken })
  t.after(() => verifier.close())
  const { mode, deciding, connected, position, lag, leaseMs, leaseLeftMs, counters } = verifier.status()
  assert.deepEqual(
    { mode, deciding, connected, lag, leaseMs },
    { mode: 'attached', deciding: true, connected: true, lag: 0, leaseMs: 30_000 },
  )
  assert.ok(leaseLeftMs > 0 && leaseLeftMs <= 24_000)
  assert.ok((position?.seq ?? 0) > 0)
  assert.equal(counters.connections, 1)
})

for (const mode of ['attached', 'online'] as const) {
  test(`what is in the way of starting is said, ${mode}`, async (t) => {
    const { token: own } = await world.token({ scopes: ['reports:read'] })
    const gone = await world.operatorToken({ scopes: ['feed'] })
    await world.revoke(gone, world.service.operatorToken)
    const elsewhere = await listening(t, answering(200))
    const moved = await listening(t, answering(301, { location: world.service.url }))
    const attempts: readonly [VerifierErrorCode, Partial<VerifierOptions>][] = [
      ['credential_refused', { token: `${world.feedToken}x` }],
      ['credential_refused', { token: gone.token }],
      ['scope_missing', { token: own }],
      ['wrong_url', { url: `${world.service.url}/elsewhere` }],
      ['wrong_url', { url: mode === 'online' ? `${elsewhere}/elsewhere` : elsewhere }],
      ['wrong_url', { url: moved }],
      ['wrong_issuer', { issuer: 'https://other.example' }],
      ['credential_unavailable', { token: () => Promise.reject(new Error('The vault is closed')) }],
      ['credential_unavailable', { token: () => '' }],
      ['credential_unavailable', { token: () => 'two\r\nlines' }],
    ]
    for (const [code, options] of attempts) {
      if (code === 'wrong_url' && mode === 'online' && options.url === `${elsewhere}/elsewhere`) continue
      const error = await refused({ mode, ...options })
      assert.equal(error.code, code, inspect(error))
    }
  })

  test(`a service that cannot be had in time is an error, not a hang, ${mode}`, async (t) => {
    const silent = createTcpServer(() => {}).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    t.after(() => silent.close())
    const silentUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
    const busy = await listening(t, answering(503))
    const attempts: readonly [VerifierErrorCode, Partial<VerifierOptions>][] = [
      ['unreachable', { url: 'http://127.0.0.1:1' }],
      ['unreachable', { url: silentUrl, askTimeoutMs: 100 }],
      ['not_ready', { url: busy }],
      ['credential_unavailable', { token: () => new Promise<string>(() => {}) }],
    ]
    for (const [code, options] of attempts) {
      const error = await refused({ mode, startTimeoutMs: 400, ...options })
      assert.equal(error.code, code, inspect(error))
    }
  })
}

test('a proxy that passes no WebSocket on is named as what is in the way', async (t) => {
  const url = await listening(t, answering(426, { upgrade: 'websocket' }))
  assert.equal((await refused({ url })).code, 'websocket_blocked')
})

test('a service that comes up while a verifier starts is waited for', async (t) => {
  let isUp = false
  const verifier = await createVerifier({
    url: world.service.url,
    token: world.feedToken,
    environment: {
      connect: (url, token, listener) => openFeedSocket(isUp ? url : 'http://127.0.0.1:1', token, listener),
      // Asked for between two attempts.
      random: () => {
        isUp = true
        return 0
      },
    },
  })
  t.after(() => verifier.close())
  assert.equal(verifier.status().counters.connections, 2)
})

test('a verifier that could not start leaves nothing under way', async () => {
  const signals: (AbortSignal | null | undefined)[] = []
  const fetch: Environment['fetch'] = (_input, init) => {
    signals.push(init?.signal)
    return new Promise((_resolve, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)))
  }
  const environment = { ...world.environment(), fetch }
  await refused({ mode: 'online', startTimeoutMs: 50, askTimeoutMs: 100_000, environment })
  assert.deepEqual(
    signals.map((signal) => signal?.aborted),
    [true],
  )
})

test('options that are wrong are named, before anything is sent', async () => {
  const wrong: readonly [RegExp, object][] = [
    [/url/, { url: 'ftp://example.com' }],
    [/url/, { url: 'tokens.example.com' }],
    [/url/, { url: 'https://user:word@example.com' }],
    [/url/, { url: undefined }],
    [/token/, { token: undefined }],
    [/token/, { token: '' }],
    [/token/, { token: `${world.feedToken}\n` }],
    [/onlapse/, { onlapse: 'reject' }],
    [/url/, { url: 'https://example.com/?page' }],
    [/mode/, { mode: 'offline' }],
    [/onLapse/, { onLapse: 'accept' }],
    [/onLapse/, { mode: 'online', onLapse: 'reject' }],
    [/issuer/, { issuer: 7 }],
    [/startTimeoutMs/, { startTimeoutMs: 0 }],
    [/askTimeoutMs/, { askTimeoutMs: Number.POSITIVE_INFINITY }],
    [/verifiedTokensLimit/, { verifiedTokensLimit: -1 }],
  ]
  for (const [name, options] of wrong) {
    const all = { url: world.service.url, token: world.feedToken, ...options } as VerifierOptions
    await assert.rejects(createVerifier(all), (error) => error instanceof TypeError && name.test(error.message))
  }
})

test('no error holds the token of the verifier', async () => {
  const token = `${world.feedToken}x`
  const errors = [
    await refused({ token }),
    await refused({ token, mode: 'online' }),
    await refused({ url: 'http://127.0.0.1:1', startTimeoutMs: 100 }),
    await refused({ token: () => `${token}\n`, startTimeoutMs: 100 }),
  ]
  for (const error of errors) assert.ok(!inspect(error, { depth: 20, showHidden: true }).includes(world.feedToken))
})
