import {
  type Clock,
  continues,
  type Entry,
  type EntryBody,
  genesis,
  type Position,
  type PublicJwk,
  positionAfter,
  type RejectionReason,
  type Verdict,
  type VerifiedToken,
} from '@rescind/protocol'
import { Epochs } from './epochs.ts'
import { type Expectations, unmetExpectation } from './expectations.ts'
import { Keyring } from './keyring.ts'
import type { Lease } from './lease.ts'
import { LogMismatch } from './log-mismatch.ts'
import { type Rejected, reject } from './rejection.ts'
import { RevocationSet } from './revocation-set.ts'
import { type DecodedSnapshot, encodeSnapshot, type Snapshot } from './snapshot.ts'
import { parseTokenShape } from './token-shape.ts'
import { readVerifiedToken } from './verified-token.ts'
import { VerifiedTokens } from './verified-tokens.ts'

export interface LocalVerifierOptions {
  /** Expected as `iss` and `aud` of every token. */
  readonly issuer: string
  /** UUID of the log before the first entry that is handed to {@link LocalVerifier.apply}; tokens name it, until an entry or {@link LocalVerifier.unite} says otherwise. */
  readonly epoch: string
  /** What every token starts with, such as `dz_`. */
  readonly tokenPrefix: string
  readonly lease: Lease
  readonly clock: Clock
  /** Most tokens whose good signature is remembered, at about 2 KiB each; 10,000 unless given. */
  readonly verifiedTokensLimit?: number
}

/** The lease does not hold: whoever knows the whole log has to be asked, or the caller told to retry. Not a rejection. */
export interface Undecided {
  readonly status: 'undecided'
}

/** Decides alone, from the part of the log that was applied to it. */
export interface LocalVerifier {
  /**
   * The verdict on `token`, as presented: prefix, header, payload and signature, nothing around them. Synchronous, and
   * never throws, whatever the token, strings or not.
   */
  verify(token: string, expected?: Expectations): Verdict | Undecided

  /**
   * Applies entries in order; every verification that begins later sees them.
   *
   * @throws LogMismatch when an entry does not follow {@link position} by number and hash. The entries before it are applied, it and those after it are not.
   * @throws Error when an entry cannot take effect, such as one of an unknown kind. As above.
   */
  apply(entries: readonly Entry[]): void

  /** The last entry applied, or where the last snapshot stands if it came later. */
  readonly position: Position

  /**
   * Everything applied up to {@link position}: what is revoked, and every key, retired or not. The same state has the
   * same bytes.
   *
   * @throws TypeError when the epoch is not a lower-case UUID
   */
  snapshot(): Snapshot

  /**
   * Adds everything in a snapshot to what has been applied, and takes its position, which may be an earlier one or one
   * of another log. The union, never a replacement: what was revoked stays revoked, and retired keys stay retired. Which
   * epochs there were belongs to the position: a token that the other history does not know of cannot be revoked in it,
   * and is not accepted from then on. Takes 4 KiB for each page of 32,768 indexes that the snapshot has and the verifier
   * has not.
   *
   * While it unites and until it is granted a lease for its new position, the verifier must hold none: seeing to that
   * is up to the caller.
   *
   * @throws Error, changing nothing, when a key of the snapshot is not a sound one
   */
  unite(snapshot: DecodedSnapshot): void

  /** Published keys that are not retired, oldest first. */
  jwks(): readonly PublicJwk[]
}

const UNDECIDED: Undecided = Object.freeze({ status: 'undecided' })

/** Rejections that one more applied entry could turn around: without a lease they are not for this verifier to give. */
const NEED_LEASE: ReadonlySet<RejectionReason> = new Set(['unknown_key', 'wrong_issuer'])

/**
 * A verifier that has applied nothing yet.
 *
 * @throws RangeError when `verifiedTokensLimit` is not a non-negative integer
 */
export function createLocalVerifier(options: LocalVerifierOptions): LocalVerifier {
  const { issuer, tokenPrefix, lease, clock, verifiedTokensLimit = 10_000 } = options
  const keyring = new Keyring()
  const revocations = new RevocationSet()
  const epochs = new Epochs(options.epoch)
  const home = { issuer, epochs }
  let verifiedTokens = new VerifiedTokens(verifiedTokensLimit)
  let position = genesis(options.epoch)

  function verify(token: string, expected?: Expectations): Verdict | Undecided {
    const verified = verifiedTokens.get(token) ?? authenticate(token)
    return 'reason' in verified ? refuse(verified) : decide(verified, expected)
  }

  /** Everything that stays true of a token once found. */
  function authenticate(token: string): VerifiedToken | Rejected {
    const parts = parseTokenShape(token, tokenPrefix)
    if (parts === undefined) return reject('malformed')
    const key = keyring.find(parts.header)
    if (key === undefined) return reject('unknown_key')
    if (!key.verifies(parts.signed, parts.signature)) return reject('bad_signature')
    const verified = readVerifiedToken(parts.payload, key.jwk.kid, home)
    if (!('reason' in verified)) verifiedTokens.add(token, verified)
    return verified
  }

  function refuse(rejected: Rejected): Verdict | Undecided {
    return NEED_LEASE.has(rejected.reason) && !lease.holds() ? UNDECIDED : rejected
  }

  /** Everything that changes. One synchronous block, lease first: what the revocation set says then is what it said while the lease held. */
  function decide(token: VerifiedToken, expected: Expectations | undefined): Verdict | Undecided {
    if (!lease.holds()) return decideWithoutLease(token, expected)
    const tokenId = token.claims.client_id
    const unmet = expected === undefined ? undefined : unmetExpectation(token, expected)
    // What became of another business's token is not for whoever asks about their own.
    if (unmet === 'wrong_business') return reject(unmet, tokenId)
    if (revocations.covers(token)) return reject('revoked', tokenId)
    if (isExpired(token)) return reject('expired', tokenId)
    return unmet === undefined ? { status: 'valid', token } : reject(unmet, tokenId)
  }

  /** What was revoked stays so, whatever the service that is asked about all else may have forgotten. */
  function decideWithoutLease(token: VerifiedToken, expected: Expectations | undefined): Verdict | Undecided {
    if (!revocations.covers(token)) return UNDECIDED
    const isOfAnother = expected !== undefined && unmetExpectation(token, expected) === 'wrong_business'
    return isOfAnother ? UNDECIDED : reject('revoked', token.claims.client_id)
  }

  /** Asked the other way round, a clock that returns no number would make every token last for ever. */
  function isExpired({ claims }: VerifiedToken): boolean {
    return !(clock.nowMs() < claims.exp * 1000)
  }

  function apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (!continues(position, entry)) throw new LogMismatch(position, entry)
      takeEffect(entry.body)
      position = positionAfter(position, entry)
    }
  }

  function takeEffect(body: EntryBody): void {
    revocations.apply(body)
    if (body.kind === 'key_added') keyring.add(body.jwk)
    if (body.kind === 'key_retired') keyring.retire(body.kid)
    if (body.kind === 'epoch_opened') {
      epochs.open(body.epoch, body.beforeIdx)
      forgetVerifiedTokens()
    }
  }

  function snapshot(): Snapshot {
    return encodeSnapshot({
      position,
      formerEpochs: epochs.former,
      keys: keyring.all(),
      bulkEntries: revocations.bulkEntries(),
      pages: revocations.pages(),
    })
  }

  function unite(snapshot: DecodedSnapshot): void {
    // First, since it is all that can fail.
    keyring.addAll(snapshot.keys)
    for (const entry of snapshot.bulkEntries) takeEffect(entry)
    for (const page of snapshot.pages()) revocations.applyPage(page)
    if (epochs.replace(snapshot.position.epoch, snapshot.formerEpochs)) forgetVerifiedTokens()
    position = snapshot.position
  }

  /** Tokens that were found good may be of an epoch that has ended before they were issued. */
  function forgetVerifiedTokens(): void {
    verifiedTokens = new VerifiedTokens(verifiedTokensLimit)
  }

  return {
    verify,
    apply,
    snapshot,
    unite,
    get position() {
      return position
    },
    jwks: () => keyring.jwks(),
  }
}
