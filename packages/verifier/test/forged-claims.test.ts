import assert from 'node:assert/strict'
import { test } from 'node:test'
import { statusListUri } from '@rescind/protocol'
import { claimsOf, createSigner, EPOCH, ISSUER, installation, NOW_SEC, outcome } from './mint.ts'

const signer = createSigner()
const { verifier } = installation([signer])
const exp = NOW_SEC + 3600
const text = JSON.stringify(claimsOf({ exp }))

/** All payloads here are signed with the installation's own key. */
const outcomeOf = (payload: string | Uint8Array) => outcome(verifier, signer.mintText(payload))

test('the claims as they are are accepted', () => {
  assert.equal(outcomeOf(text), 'valid')
})

test('exp as string, float, exponent, overflow, negative, null or absent is rejected', () => {
  for (const value of [
    `"${exp}"`,
    `${exp}.5`,
    `${exp}.0`,
    '1.9e9',
    '1e400',
    '-1',
    '-0',
    'null',
    'true',
    '[]',
    '9007199254740993',
  ]) {
    assert.equal(outcomeOf(text.replace(`"exp":${exp}`, `"exp":${value}`)), 'bad_claims', value)
  }
  assert.equal(outcomeOf(text.replace(`"exp":${exp},`, '')), 'bad_claims')
})

test('a claim given twice is rejected, whichever of the two would be read', () => {
  const claims: Record<string, unknown> = { ...claimsOf() }
  for (const [name, value] of Object.entries(claims)) {
    const pair = `${JSON.stringify(name)}:${JSON.stringify(value)}`
    const whole = JSON.stringify(claims)
    assert.equal(outcomeOf(whole.replace('{', `{${pair},`)), 'bad_claims', name)
    assert.equal(outcomeOf(whole.replace(/}$/, `,${pair}}`)), 'bad_claims', name)
  }
})

test('a payload that is not UTF-8 is rejected', () => {
  const at = text.indexOf('tokens:read') + 3
  for (const hex of ['ff', 'c0af', 'eda080', 'f4908080', 'e282']) {
    const bytes = Buffer.concat([Buffer.from(text.slice(0, at)), Buffer.from(hex, 'hex'), Buffer.from(text.slice(at))])
    assert.equal(outcomeOf(bytes), 'bad_claims', hex)
  }
  assert.equal(outcomeOf(Buffer.from(`\ufeff${text}`)), 'bad_claims')
  assert.equal(outcomeOf(Buffer.from(text, 'utf16le')), 'bad_claims')
})

test('claims nested as deep as a token is long do not throw', () => {
  const deep = '['.repeat(2600) + ']'.repeat(2600)
  assert.equal(outcomeOf(text.replace(/}$/, `,"deep":${deep}}`)), 'valid')
  assert.equal(outcomeOf(deep), 'bad_claims')
})

test('a token of another issuer or for another audience is rejected, even if the key were shared', () => {
  const others = ['https://other.example', `${ISSUER}/`, ISSUER.toUpperCase(), `${ISSUER}.evil.example`, '']
  for (const other of others) {
    assert.equal(outcome(verifier, signer.mint(claimsOf({ iss: other }))), 'wrong_issuer')
    assert.equal(outcome(verifier, signer.mint(claimsOf({ aud: other }))), 'wrong_issuer')
  }
  assert.equal(outcomeOf(text.replace(`"aud":"${ISSUER}"`, `"aud":["${ISSUER}"]`)), 'bad_claims')
})

test('a token signed by another issuer is rejected', () => {
  const stranger = createSigner()
  assert.equal(outcome(verifier, stranger.mint(claimsOf())), 'unknown_key')
  assert.equal(outcome(verifier, stranger.mint(claimsOf({ iss: 'https://other.example' }))), 'unknown_key')
})

test('a token of another epoch is rejected: its index counts in another list', () => {
  const otherEpoch = '1b8ad6f0-6b1f-4a0f-9c5f-6f1f0a3a7c11'
  const uris = [statusListUri(otherEpoch), `${statusListUri(EPOCH)}/`, ISSUER, '']
  for (const uri of uris) assert.equal(outcome(verifier, signer.mint(claimsOf({ uri }))), 'wrong_issuer')
})

test('another type of token is rejected', () => {
  for (const type of ['session', 'API', ''])
    assert.equal(outcomeOf(text.replace('"type":"api"', `"type":"${type}"`)), 'bad_claims')
})
