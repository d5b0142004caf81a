import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeBase64url, statusListUri } from '@rescind/protocol'
import { claimsOf, createSigner, EPOCH, installation, join, outcome, segmentsOf } from './mint.ts'

const signer = createSigner()

test('without a lease no token is accepted, remembered or not, and none that might be good is rejected', () => {
  const state = installation([signer])
  const { verifier, log } = state
  const [seen, unseen, revoked] = [1, 2, 3].map((idx) => signer.mint(claimsOf({ idx })))
  assert.ok(seen && unseen && revoked)
  const unpublished = createSigner().mint(claimsOf())
  const otherEpoch = signer.mint(claimsOf({ uri: statusListUri(EPOCH.replace('0', '1')) }))
  log({ kind: 'token_revoked', idx: 3 })
  assert.equal(outcome(verifier, seen), 'valid')
  state.leased = false
  for (const token of [seen, unseen, unpublished, otherEpoch, signer.mint(claimsOf({ exp: 1 }))]) {
    assert.deepEqual(verifier.verify(token), { status: 'undecided' })
    assert.deepEqual(verifier.verify(token, { scopes: ['feed'] }), { status: 'undecided' })
  }
  state.leased = true
  const later = [seen, unseen, revoked, unpublished, otherEpoch].map((token) => outcome(verifier, token))
  assert.deepEqual(later, ['valid', 'valid', 'revoked', 'unknown_key', 'wrong_issuer'])
})

test('what was revoked is rejected without a lease too, but nobody learns that of another business', () => {
  const state = installation([signer])
  const { verifier, log } = state
  const claims = claimsOf({ idx: 3 })
  const token = signer.mint(claims)
  state.leased = false
  assert.deepEqual(verifier.verify(token), { status: 'undecided' })
  log({ kind: 'token_revoked', idx: 3 })
  for (const expected of [[], [{ businessId: claims.business_id ?? '' }], [{ scopes: ['none'] }]] as const) {
    assert.equal(outcome(verifier, token, ...expected), 'revoked')
  }
  assert.deepEqual(verifier.verify(token, { businessId: EPOCH }), { status: 'undecided' })
})

test('what no entry could ever make good is rejected without a lease', () => {
  const state = installation([signer])
  state.leased = false
  const [header, payload] = segmentsOf(signer.mint(claimsOf()))
  assert.equal(outcome(state.verifier, 'nonsense'), 'malformed')
  assert.equal(outcome(state.verifier, join(header, payload, encodeBase64url(Buffer.alloc(64)))), 'bad_signature')
  assert.equal(outcome(state.verifier, signer.mintText('{}')), 'bad_claims')
})

test('the lease is asked at every verification and before the revocation set', () => {
  let asked = 0
  const token = signer.mint(claimsOf({ idx: 1 }))
  const lease = {
    holds: () => {
      asked += 1
      // An entry that arrives while the lease is being looked at must still count.
      if (asked === 2) state.log({ kind: 'token_revoked', idx: 1 })
      return true
    },
  }
  const state = installation([signer], { lease })
  assert.equal(outcome(state.verifier, token), 'valid')
  assert.equal(outcome(state.verifier, token), 'revoked')
  assert.equal(asked, 2)
})
