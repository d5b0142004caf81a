import { type EntryBody, statusListUri } from '@rescind/protocol'
import type { LocalVerifier } from '@rescind/verifier/core'
import fc from 'fast-check'
import { entryBody } from '../../protocol/test/entry-arbitrary.ts'
import { index } from './index-arbitrary.ts'
import { claimsOf, createSigner, EPOCH, type Installation, installation } from './mint.ts'

export const signers = [createSigner(), createSigner('ES256'), createSigner()]

/** Indexes that tokens and revocations share often. */
const TOKEN_INDEXES = [0, 1, 31, 32, 299, 300, 32_767, 32_768, Number.MAX_SAFE_INTEGER]

/** Those that the entries of a log are about. */
export const SUBJECTS = [1, 2, 3].map((n) => `${n}`.repeat(8).concat('-0000-4000-8000-000000000000'))

const signer = fc.constantFrom(...signers)
const plain = { noNullPrototype: true } as const

/** Entries of every kind, about keys that sign {@link token}s and about others. */
export const bodies: fc.Arbitrary<readonly EntryBody[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: entryBody },
    fc.record(
      { kind: fc.constant('token_revoked' as const), idx: fc.oneof(fc.constantFrom(...TOKEN_INDEXES), index) },
      plain,
    ),
    fc.record({ kind: fc.constant('key_added' as const), jwk: signer.map(({ jwk }) => jwk) }, plain),
    fc.record({ kind: fc.constant('key_retired' as const), kid: signer.map(({ jwk }) => jwk.kid) }, plain),
  ),
  { maxLength: 30 },
)

const minted = new Map<string, string>()

/** Tokens of the subjects and of operators, each minted once. */
const token: fc.Arbitrary<string> = fc
  .record({
    idx: fc.constantFrom(...TOKEN_INDEXES),
    businessId: fc.option(fc.constantFrom(...SUBJECTS), { nil: undefined }),
    sub: fc.constantFrom(...SUBJECTS),
    by: fc.nat({ max: signers.length - 1 }),
  })
  .map((parts) => {
    const name = JSON.stringify(parts)
    const found = minted.get(name) ?? mint(parts)
    minted.set(name, found)
    return found
  })

export const tokens = fc.array(token, { minLength: 5, maxLength: 10 })

function mint(parts: { idx: number; businessId: string | undefined; sub: string; by: number }): string {
  const { business_id: _, ...claims } = claimsOf({ idx: parts.idx, sub: parts.sub, uri: statusListUri(EPOCH) })
  const business = parts.businessId === undefined ? {} : { business_id: parts.businessId }
  return signers[parts.by]?.mint({ ...claims, ...business }) ?? ''
}

/** An installation whose log has these entries. */
export function withLog(entries: readonly EntryBody[], epoch = EPOCH): Installation {
  const state = installation([], { epoch })
  state.log(...entries)
  return state
}

export function verdicts(verifier: LocalVerifier, presented: readonly string[]): unknown[] {
  return presented.map((each) => verifier.verify(each))
}
