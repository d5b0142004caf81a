import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TokenClaims } from '@rescind/protocol'
import { claimsOf, createSigner, highSTwin, installation, join, NOW_SEC, outcome, segmentsOf } from './mint.ts'

const signer = createSigner()

function operatorClaims(): TokenClaims {
  const { business_id: _, ...claims } = claimsOf({ scope: 'operator' })
  return claims
}

test('a valid token gives its claims, key and scopes, first and later', () => {
  const { verifier } = installation([signer])
  const claims = claimsOf({ scope: 'tokens:read orders:write' })
  const token = signer.mint(claims)
  const expected = {
    status: 'valid',
    token: {
      id: claims.client_id,
      jti: claims.jti,
      userId: claims.sub,
      businessId: claims.business_id,
      scopes: ['tokens:read', 'orders:write'],
      issuedAtMs: claims.iat * 1000,
      expiresAtMs: claims.exp * 1000,
    },
  }
  for (let n = 0; n < 3; n++) {
    const verdict = verifier.verify(token)
    assert.deepEqual(verdict, expected)
    assert.ok(verdict.status === 'valid')
    assert.deepEqual([verdict.token.claims, verdict.token.kid], [claims, signer.jwk.kid])
  }
})

test('ES256 tokens verify, and their high-s twin does not, whether or not the token is remembered', () => {
  const ec = createSigner('ES256')
  const { verifier } = installation([ec])
  for (let n = 0; n < 10; n++) {
    const token = ec.mint(claimsOf())
    const [header, payload, signature] = segmentsOf(token)
    const twin = join(header, payload, highSTwin(Buffer.from(signature, 'base64url')).toString('base64url'))
    assert.equal(outcome(verifier, twin), 'bad_signature')
    assert.equal(outcome(verifier, token), 'valid')
    assert.equal(outcome(verifier, twin), 'bad_signature')
  }
})

test('the signature of one token is no good on another', () => {
  const { verifier } = installation([signer])
  const [one, other] = [segmentsOf(signer.mint(claimsOf())), segmentsOf(signer.mint(claimsOf()))]
  assert.equal(outcome(verifier, join(one[0], one[1], other[2])), 'bad_signature')
  assert.equal(outcome(verifier, join(one[0], other[1], one[2])), 'bad_signature')
})

test('a revoked token is rejected from the very next verification on, remembered or not', () => {
  const { verifier, log } = installation([signer])
  const [seen, unseen, spared] = [3, 4, 5].map((idx) => signer.mint(claimsOf({ idx })))
  assert.ok(seen && unseen && spared)
  assert.equal(outcome(verifier, seen), 'valid')
  log({ kind: 'token_revoked', idx: 3 }, { kind: 'token_revoked', idx: 4 })
  assert.equal(outcome(verifier, seen), 'revoked')
  assert.equal(outcome(verifier, unseen), 'revoked')
  assert.equal(outcome(verifier, spared), 'valid')
})

test('tokens of a retired key are revoked, remembered or not, and stay so', () => {
  const next = createSigner()
  const { verifier, log } = installation([signer, next])
  const [seen, unseen] = [signer.mint(claimsOf({ idx: 1 })), signer.mint(claimsOf({ idx: 2 ** 40 }))]
  assert.equal(outcome(verifier, seen), 'valid')
  log({ kind: 'key_retired', kid: signer.jwk.kid })
  const check = () => {
    assert.equal(outcome(verifier, seen), 'revoked')
    assert.equal(outcome(verifier, unseen), 'revoked')
    assert.equal(outcome(verifier, next.mint(claimsOf())), 'valid')
    assert.deepEqual(verifier.jwks(), [next.jwk])
  }
  check()
  log({ kind: 'key_added', jwk: signer.jwk })
  check()
})

test('a key counts from the moment it is added', () => {
  const { verifier, log } = installation([])
  const token = signer.mint(claimsOf())
  assert.equal(outcome(verifier, token), 'unknown_key')
  log({ kind: 'key_added', jwk: signer.jwk })
  assert.equal(outcome(verifier, token), 'valid')
})

test('bulk revocations end the tokens of their subject issued before them', () => {
  const { verifier, log } = installation([signer])
  const old = claimsOf({ idx: 9 })
  const fresh = { ...old, status: { status_list: { ...old.status.status_list, idx: 10 } } }
  const colleague = claimsOf({ idx: 9, business_id: old.business_id ?? '' })
  const [oldToken, freshToken, colleagueToken] = [old, fresh, colleague].map((claims) => signer.mint(claims))
  assert.ok(oldToken && freshToken && colleagueToken)
  const outcomes = () => [oldToken, freshToken, colleagueToken].map((token) => outcome(verifier, token))
  assert.deepEqual(outcomes(), ['valid', 'valid', 'valid'])
  const businessId = old.business_id ?? ''
  log({ kind: 'member_revoked', businessId, userId: old.sub, beforeIdx: 10 })
  assert.deepEqual(outcomes(), ['revoked', 'valid', 'valid'])
  log({ kind: 'business_revoked', businessId, beforeIdx: 10 })
  assert.deepEqual(outcomes(), ['revoked', 'valid', 'revoked'])
})

test('a token is expired from the second of its exp on, remembered or not', () => {
  const state = installation([signer])
  const token = signer.mint(claimsOf({ exp: NOW_SEC }))
  const steps = [
    [NOW_SEC * 1000 - 1, 'valid'],
    [NOW_SEC * 1000, 'expired'],
    [NOW_SEC * 1000 + 1, 'expired'],
    [NOW_SEC * 1000 - 1, 'valid'],
  ] as const
  for (const [nowMs, expected] of steps) {
    state.nowMs = nowMs
    assert.equal(outcome(state.verifier, token), expected)
    assert.equal(outcome(installation([signer], { clock: { nowMs: () => nowMs } }).verifier, token), expected)
  }
})

test('a clock that is out of order makes no token last for ever', () => {
  const { verifier } = installation([signer], { clock: { nowMs: () => Number.NaN } })
  assert.equal(outcome(verifier, signer.mint(claimsOf())), 'expired')
})

test('expired and revoked reads as revoked, and both come before missing scopes', () => {
  const { verifier, log } = installation([signer])
  log({ kind: 'token_revoked', idx: 1 })
  const expected = { scopes: ['feed'] }
  assert.equal(outcome(verifier, signer.mint(claimsOf({ idx: 1, exp: 1 })), expected), 'revoked')
  assert.equal(outcome(verifier, signer.mint(claimsOf({ exp: 1 })), expected), 'expired')
  assert.equal(outcome(verifier, signer.mint(claimsOf()), expected), 'insufficient_scope')
})

test("whoever asks about tokens of one business does not learn what became of another's", () => {
  const { verifier, log } = installation([signer])
  log({ kind: 'token_revoked', idx: 1 })
  const expected = { businessId: claimsOf().sub }
  for (const changes of [{}, { exp: 1 }, { idx: 1 }]) {
    assert.equal(outcome(verifier, signer.mint(claimsOf(changes)), expected), 'wrong_business')
  }
})

test('a token satisfies the expectation of its own business only', () => {
  const { verifier } = installation([signer])
  const claims = claimsOf()
  const token = signer.mint(claims)
  const businessId = claims.business_id ?? assert.fail()
  assert.equal(outcome(verifier, token, { businessId }), 'valid')
  for (const other of [claims.sub, businessId.slice(1), '']) {
    assert.equal(outcome(verifier, token, { businessId: other }), 'wrong_business')
  }
})

test('a token of no business satisfies no expectation of one', () => {
  const { verifier } = installation([signer])
  const token = signer.mint(operatorClaims())
  assert.equal(outcome(verifier, token), 'valid')
  for (const businessId of [claimsOf().sub, '', 'undefined', 'null']) {
    assert.equal(outcome(verifier, token, { businessId }), 'wrong_business')
  }
})

test('every expected scope must be carried, whole', () => {
  const { verifier } = installation([signer])
  const token = signer.mint(claimsOf({ scope: 'tokens:read orders' }))
  for (const scopes of [[], ['orders'], ['orders', 'tokens:read']]) {
    assert.equal(outcome(verifier, token, { scopes }), 'valid')
  }
  for (const scopes of [['order'], ['tokens:read orders'], ['orders', 'tokens:write'], [''], ['__proto__']]) {
    assert.equal(outcome(verifier, token, { scopes }), 'insufficient_scope')
  }
  assert.equal(outcome(verifier, signer.mint(claimsOf({ scope: '' })), { scopes: [''] }), 'insufficient_scope')
})

test('an expectation that is there but undefined is met by no token', () => {
  const { verifier } = installation([signer])
  const untyped = (text: string): object => ({ [text]: undefined })
  for (const token of [signer.mint(claimsOf()), signer.mint(operatorClaims())]) {
    assert.equal(outcome(verifier, token, untyped('businessId')), 'wrong_business')
    assert.equal(outcome(verifier, token, untyped('scopes')), 'insufficient_scope')
    assert.equal(outcome(verifier, token, {}), 'valid')
  }
})

test('a rejection names the token once its signature is good, and not before', () => {
  const { verifier, log } = installation([signer])
  log({ kind: 'token_revoked', idx: 1 })
  const cases = [
    [claimsOf({ idx: 1 }), 'revoked'],
    [claimsOf({ exp: 1 }), 'expired'],
    [claimsOf({ iss: 'https://other.example' }), 'wrong_issuer'],
  ] as const
  for (const [claims, reason] of cases) {
    const token = signer.mint(claims)
    assert.deepEqual(verifier.verify(token), { status: 'rejected', reason, tokenId: claims.client_id })
    const [header, payload] = segmentsOf(token)
    const forged = join(header, payload, Buffer.alloc(64).toString('base64url'))
    assert.deepEqual(verifier.verify(forged), { status: 'rejected', reason: 'bad_signature' })
  }
  const claims = claimsOf()
  assert.deepEqual(verifier.verify(signer.mint(claims), { scopes: ['feed'] }), {
    status: 'rejected',
    reason: 'insufficient_scope',
    tokenId: claims.client_id,
  })
})

test('what one caller does to the token it gets changes nothing for the next', () => {
  const { verifier } = installation([signer])
  const token = signer.mint(claimsOf({ scope: 'tokens:read', exp: NOW_SEC + 1 }))
  const verdict = verifier.verify(token)
  assert.ok(verdict.status === 'valid')
  const { claims, scopes } = verdict.token
  const held = [verdict.token, claims, claims.status, claims.status.status_list, scopes]
  for (const each of held) assert.ok(Object.isFrozen(each))
  assert.throws(() => Object.assign(claims, { exp: NOW_SEC * 2 }), TypeError)
  assert.throws(() => Array.prototype.push.call(scopes, 'feed'), TypeError)
  assert.equal(outcome(verifier, token, { scopes: ['feed'] }), 'insufficient_scope')
})

test('verdicts are the same with and without remembered tokens', () => {
  const [with1000, without] = [installation([signer]), installation([signer], { verifiedTokensLimit: 0 })]
  const tokens = [0, 1, 2].map((idx) => signer.mint(claimsOf({ idx, exp: NOW_SEC + idx })))
  const same = () => {
    for (const token of [...tokens, ...tokens]) {
      assert.deepEqual(with1000.verifier.verify(token), without.verifier.verify(token))
    }
  }
  same()
  for (const state of [with1000, without]) state.log({ kind: 'token_revoked', idx: 2 })
  same()
})
