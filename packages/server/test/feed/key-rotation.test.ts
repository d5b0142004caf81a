import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeBase64url } from '@rescind/protocol'
import { expect, issued } from '../service/provisioning.ts'
import { type RunningService, runService } from '../service/running-service.ts'
import { attach } from './attached.ts'
import { openLink } from './link.ts'

test('a new key signs nothing before every verifier knows it, whatever becomes of the service meanwhile', async (t) => {
  const service = await runService(t, { leaseSeconds: 300, shutdownSeconds: 0 })
  const [first] = await keysOf(service)
  const link = await openLink(t, service.url)
  const verifier = await attach(t, link.url, service.operatorToken)
  link.loseAnswers()
  // It waits for the verifier, and is cut off.
  const rotation = service.call('POST', '/api/v1/keys/rotate', operatorOf(service)).catch(() => 'cut off')
  while ((await keysOf(service)).length === 1);
  assert.equal(await signingKid(service), first?.kid)
  const restarted = await service.restart()
  assert.equal(await rotation, 'cut off')

  const { token } = await newToken(restarted)
  assert.equal(kidOf(token), first?.kid)
  assert.equal(verifier.verify(token).status, 'valid')
  assert.equal((await keysOf(restarted)).find(({ signing }) => signing)?.kid, first?.kid)
})

test('a key that was in force when the service stopped signs when it starts again', async (t) => {
  const service = await runService(t)
  const rotated = expect(200, await service.call('POST', '/api/v1/keys/rotate', operatorOf(service))).json.data
  const restarted = await service.restart()
  assert.equal(await signingKid(restarted), rotated.kid)
})

test('a key that a killed process added signs once the leases that nobody remembers have ended', async (t) => {
  const service = await runService(t, { leaseSeconds: 2, shutdownSeconds: 0 })
  const [first] = await keysOf(service)
  const verifier = await attach(t, service.url, service.operatorToken)
  const rotated = expect(200, await service.call('POST', '/api/v1/keys/rotate', operatorOf(service))).json.data
  const restarted = await service.restart()
  while ((await signingKid(restarted)) !== rotated.kid);
  const path = `/api/v1/keys/${first?.kid}/retire`
  const retired = expect(200, await restarted.call('POST', path, operatorOf(restarted)))
  assert.equal(retired.json.data.kid, first?.kid)
  verifier.close()
})

interface Key {
  readonly kid: string
  readonly signing: boolean
}

async function keysOf(service: RunningService): Promise<Key[]> {
  return expect(200, await service.call('GET', '/api/v1/keys', operatorOf(service))).json.data.items
}

async function signingKid(service: RunningService): Promise<string> {
  const kid = kidOf((await newToken(service)).token)
  expect(200, await service.call('GET', '/api/v1/keys', operatorOf(service)))
  return kid
}

function operatorOf({ operatorToken }: RunningService) {
  return { token: operatorToken, business: null }
}

async function newToken(service: RunningService) {
  return issued(await service.call('POST', '/api/v1/tokens', { ...operatorOf(service), json: { name: 'a token' } }))
}

function kidOf(token: string): string {
  const [header = ''] = token.slice(token.indexOf('_') + 1).split('.')
  return JSON.parse(`${decodeBase64url(header)}`).kid
}
