import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLocalJWKSet, decodeProtectedHeader, errors, type JSONWebKeySet, jwtVerify } from 'jose'
import { addMember, expect, issueTo } from '../service/provisioning.ts'
import { type RunningService, runService } from '../service/running-service.ts'

const ISSUER = 'https://tokens.example/auth'
const PREFIX = 'acme_'

for (const signingAlg of ['EdDSA', 'ES256'] as const) {
  test(`a token signed with ${signingAlg} is a JWT that another implementation verifies with the published keys`, async (t) => {
    const service = await runService(t, { signingAlg, issuer: ISSUER, tokenPrefix: PREFIX })
    const holder = await addMember(service, 'member')
    const { token, id, jti } = await issueTo(service, holder, { scopes: ['tokens:read', 'reports:read'] })

    const { payload, protectedHeader } = await verifyElsewhere(service, token)
    const [kid] = (await publishedKeys(service)).keys.map((key) => key.kid)
    assert.deepEqual(protectedHeader, { alg: signingAlg, typ: 'at+jwt', kid })
    assert.equal(payload.sub, holder.userId)
    assert.equal(payload.client_id, id)
    assert.equal(payload.jti, jti)
    assert.equal(payload.scope, 'tokens:read reports:read')
    assert.equal(payload.business_id, holder.businessId)

    const [header = '', claims = '', signature = ''] = token.split('.')
    const altered = `${header}.${claims}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
    await assert.rejects(verifyElsewhere(service, altered), errors.JWSSignatureVerificationFailed)
  })
}

test('a key is published until it is retired, and its tokens verify elsewhere for as long', async (t) => {
  const service = await runService(t, { issuer: ISSUER, tokenPrefix: PREFIX })
  const holder = await addMember(service, 'member')
  const operator = { token: service.operatorToken, business: null }
  const old = await issueTo(service, holder)
  const { kid } = decodeProtectedHeader(bare(old.token))

  expect(200, await service.call('POST', '/api/v1/keys/rotate', { ...operator, json: { alg: 'ES256' } }))
  const recent = await issueTo(service, holder)
  const { kid: recentKid } = decodeProtectedHeader(bare(recent.token))
  assert.notEqual(recentKid, kid)
  for (const { token } of [old, recent]) await verifyElsewhere(service, token)

  // The operator's own token, which the old key signed as well, dies in this very request.
  expect(200, await service.call('POST', `/api/v1/keys/${kid}/retire`, operator))
  assert.deepEqual(
    (await publishedKeys(service)).keys.map((key) => key.kid),
    [recentKid],
  )
  await assert.rejects(verifyElsewhere(service, old.token), errors.JWKSNoMatchingKey)
  await verifyElsewhere(service, recent.token)
})

/** Verifies a token as a resource server does that knows the published keys and RFC 9068 only. */
async function verifyElsewhere(service: RunningService, token: string) {
  return jwtVerify(bare(token), createLocalJWKSet(await publishedKeys(service)), {
    typ: 'at+jwt',
    issuer: ISSUER,
    audience: ISSUER,
    requiredClaims: ['iss', 'aud', 'sub', 'exp', 'iat', 'jti', 'client_id'],
  })
}

async function publishedKeys({ url }: RunningService): Promise<JSONWebKeySet> {
  const response = await fetch(`${url}/.well-known/jwks.json`)
  assert.equal(response.status, 200)
  return (await response.json()) as JSONWebKeySet
}

function bare(token: string): string {
  assert.ok(token.startsWith(PREFIX))
  return token.slice(PREFIX.length)
}
