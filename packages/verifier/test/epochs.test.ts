import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type EntryBody, nextEntry, statusListUri } from '@rescind/protocol'
import { decodeSnapshot, type LocalVerifier } from '@rescind/verifier/core'
import { Epochs } from '../core/epochs.ts'
import { claimsOf, createSigner, EPOCH, installation, outcome } from './mint.ts'

const [SECOND, THIRD, FOREIGN] = ['1', '2', '3'].map((digit) => digit + EPOCH.slice(1)) as [string, string, string]

const signer = createSigner()
const opened = (epoch: string, beforeIdx: number): EntryBody => ({ kind: 'epoch_opened', epoch, beforeIdx })
const revoked = (idx: number): EntryBody => ({ kind: 'token_revoked', idx })

function mint(epoch: string, idx: number): string {
  return signer.mint(claimsOf({ idx, uri: statusListUri(epoch) }))
}

function unite(verifier: LocalVerifier, other: LocalVerifier): void {
  verifier.unite(decodeSnapshot(other.snapshot().bytes) ?? assert.fail('The snapshot cannot be read'))
}

test('a token of a former epoch is accepted if its index is below the one that ended the epoch, and no other is', () => {
  const { verifier, log } = installation([signer])
  log(opened(SECOND, 10))
  const cases = [
    [EPOCH, 0, 'valid'],
    [EPOCH, 9, 'valid'],
    [EPOCH, 10, 'wrong_issuer'],
    [EPOCH, Number.MAX_SAFE_INTEGER, 'wrong_issuer'],
    [SECOND, 9, 'valid'],
    [SECOND, 10, 'valid'],
    [SECOND, Number.MAX_SAFE_INTEGER, 'valid'],
    [FOREIGN, 0, 'wrong_issuer'],
  ] as const
  for (const [epoch, idx, expected] of cases) assert.equal(outcome(verifier, mint(epoch, idx)), expected)

  log(opened(THIRD, 20))
  const later = [
    [EPOCH, 9, 'valid'],
    [EPOCH, 10, 'wrong_issuer'],
    [SECOND, 19, 'valid'],
    [SECOND, 20, 'wrong_issuer'],
    [THIRD, 20, 'valid'],
  ] as const
  for (const [epoch, idx, expected] of later) assert.equal(outcome(verifier, mint(epoch, idx)), expected)
})

test('a token that was accepted before is refused from the moment its epoch ended before it was issued', () => {
  const { verifier, log } = installation([signer])
  const [kept, lost] = [mint(EPOCH, 9), mint(EPOCH, 10)]
  for (const token of [kept, lost]) assert.equal(outcome(verifier, token), 'valid')
  log(opened(SECOND, 10))
  assert.equal(outcome(verifier, kept), 'valid')
  assert.equal(outcome(verifier, lost), 'wrong_issuer')
})

test('what was revoked before a new epoch stays revoked in it, and what is revoked in it may be of a former one', () => {
  const { verifier, log } = installation([signer])
  const [first, second] = [mint(EPOCH, 1), mint(EPOCH, 2)]
  log(revoked(1), opened(SECOND, 10))
  assert.equal(outcome(verifier, first), 'revoked')
  assert.equal(outcome(verifier, second), 'valid')
  log(revoked(2))
  assert.equal(outcome(verifier, second), 'revoked')
})

test('without a lease, a token of an epoch that is not known is not for the verifier to refuse', () => {
  const state = installation([signer])
  state.log(opened(SECOND, 10))
  state.leased = false
  for (const token of [mint(FOREIGN, 0), mint(EPOCH, 10), mint(EPOCH, 9)]) {
    assert.equal(outcome(state.verifier, token), 'undecided')
  }
})

test('an epoch that the log had before cannot be opened, and neither can one whose limit is no index', () => {
  const { verifier, log } = installation([signer])
  log(opened(SECOND, 10))
  for (const body of [opened(EPOCH, 20), opened(SECOND, 20), opened('x', 20), opened(THIRD, -1), opened(THIRD, 0.5)]) {
    const before = verifier.snapshot()
    assert.throws(() => verifier.apply([nextEntry(verifier.position, body, 1)]), RangeError)
    assert.deepEqual(verifier.snapshot(), before)
  }
  assert.equal(outcome(verifier, mint(EPOCH, 10)), 'wrong_issuer')
})

test('a verifier that takes a snapshot accepts the tokens that the log of it knows of', () => {
  const restored = installation([signer])
  restored.log(revoked(1), opened(SECOND, 10), revoked(2))
  const { verifier } = installation([])
  unite(verifier, restored.verifier)
  assert.deepEqual(verifier.position, restored.verifier.position)
  assert.deepEqual(verifier.snapshot(), restored.verifier.snapshot())
  const outcomes = [mint(EPOCH, 1), mint(EPOCH, 2), mint(EPOCH, 3), mint(EPOCH, 10), mint(SECOND, 10)].map((token) =>
    outcome(verifier, token),
  )
  assert.deepEqual(outcomes, ['revoked', 'revoked', 'valid', 'wrong_issuer', 'valid'])
})

test('a verifier that outlives its service keeps what was revoked in the log that was lost, and refuses what was issued in it', () => {
  const lost = installation([signer])
  const { verifier } = lost
  const tokens = { before: mint(EPOCH, 1), after: mint(EPOCH, 2), good: mint(EPOCH, 3), late: mint(EPOCH, 12) }
  lost.log(revoked(1))
  const restored = installation([signer])
  restored.log(revoked(1), opened(SECOND, 10))
  // The service that was lost goes on, and so does the verifier.
  lost.log(revoked(2), revoked(2 ** 43))
  for (const token of [tokens.good, tokens.late]) assert.equal(outcome(verifier, token), 'valid')

  unite(verifier, restored.verifier)
  assert.deepEqual(verifier.position, restored.verifier.position)
  assert.equal(outcome(verifier, tokens.before), 'revoked')
  assert.equal(outcome(verifier, tokens.after), 'revoked')
  assert.equal(outcome(verifier, tokens.good), 'valid')
  assert.equal(outcome(verifier, tokens.late), 'wrong_issuer')
  assert.equal(outcome(verifier, mint(SECOND, 2 ** 43 + 1)), 'valid')
  assert.equal(outcome(verifier, mint(SECOND, 2 ** 43)), 'revoked')
})

test('an epoch that another history does not have is refused after uniting with it, though what it revoked stays', () => {
  const first = installation([signer])
  first.log(opened(SECOND, 10), revoked(4), revoked(500))
  const { verifier } = first
  assert.equal(outcome(verifier, mint(SECOND, 501)), 'valid')
  const again = installation([signer])
  again.log(opened(THIRD, 12))
  unite(verifier, again.verifier)
  const outcomes = [mint(SECOND, 501), mint(EPOCH, 11), mint(EPOCH, 12), mint(EPOCH, 4), mint(THIRD, 500)].map(
    (token) => outcome(verifier, token),
  )
  assert.deepEqual(outcomes, ['wrong_issuer', 'valid', 'wrong_issuer', 'revoked', 'revoked'])
})

test('a snapshot of the same history brings no other epochs', () => {
  const epochs = new Epochs(EPOCH)
  epochs.open(SECOND, 10)
  assert.equal(epochs.replace(SECOND, [{ epoch: EPOCH, beforeIdx: 10 }]), false)
  assert.equal(epochs.replace(SECOND, [{ epoch: EPOCH, beforeIdx: 11 }]), true)
  assert.equal(epochs.replace(SECOND, []), true)
  assert.equal(epochs.replace(THIRD, []), true)
})
