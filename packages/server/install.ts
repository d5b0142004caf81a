import { type Clock, OPERATOR_SCOPES, type SigningAlgorithm } from '@rescind/protocol'
import { delegableScopes } from './access/roles.ts'
import { writeOffline } from './access/write-as.ts'
import { offlineActor } from './offline-actor.ts'
import type { Installation, Member, Storage } from './storage/storage.ts'
import type { Write } from './storage/write.ts'
import { type IssueDeps, type IssueRequest, issueToken } from './tokens/issue-token.ts'
import { generateSigningKey } from './tokens/signing-key.ts'
import { addSigningKey } from './tokens/signing-keys.ts'

/** What a new installation shows its operator, once. */
export interface FirstTokens {
  readonly businessId: string
  readonly ownerToken: string
  readonly operatorToken: string
}

interface Deps {
  readonly storage: Pick<Storage, 'transact'>
  readonly clock: Clock
  /** A new UUID v7. */
  readonly newId: () => string
  /** A new UUID v4. */
  readonly newUuid: () => string
  /** Encrypts the signing key at rest. */
  readonly sealingKey: Uint8Array
}

interface Choices {
  readonly issuer: string | undefined
  readonly tokenPrefix: string
  readonly signingAlg: SigningAlgorithm
}

const FIRST_TOKEN_DAYS = 365

/**
 * Makes the installation: its log, a signing key, a business with an owner, and a token each for the owner and the
 * operator. All of it in one transaction, so that a first start either happened or did not.
 */
export async function install(deps: Deps, choices: Choices): Promise<FirstTokens> {
  const { clock, newId, newUuid } = deps
  const nowMs = clock.nowMs()
  const epoch = newUuid()
  const installation: Installation = {
    issuer: choices.issuer ?? `urn:uuid:${epoch}`,
    epoch,
    tokenPrefix: choices.tokenPrefix,
    operatorUserId: newId(),
    operatorEmail: 'operator@localhost',
    createdAtMs: nowMs,
  }
  const owner: Member = {
    businessId: newId(),
    userId: newId(),
    email: 'owner@localhost',
    role: 'owner',
    createdAtMs: nowMs,
  }
  const key = generateSigningKey(choices.signingAlg)
  const issueDeps: IssueDeps = {
    installation,
    clock,
    newId,
    newJti: newUuid,
    signingKey: () => key,
    maxActiveTokens: Number.POSITIVE_INFINITY,
  }

  const first = await writeOffline(
    deps,
    offlineActor(installation),
  )<FirstTokens>(async (tx, audit) => {
    await tx.createInstallation(installation)
    await addSigningKey(tx, key, deps.sealingKey, nowMs)
    await audit('key.added', { businessId: null, id: key.jwk.kid })
    await tx.upsertBusiness({ id: owner.businessId, name: 'First business', createdAtMs: nowMs })
    await audit('business.saved', { businessId: owner.businessId, id: owner.businessId })
    await tx.upsertMember(owner)
    await audit('member.saved', { businessId: owner.businessId, id: owner.userId })

    const write: Write = (unit) => unit(tx, audit)
    const ownerToken = await mustIssue(issueDeps, write, {
      holder: owner,
      name: 'Owner token of the first start',
      grant: () => ({ scopes: delegableScopes('owner') }),
    })
    const operatorToken = await issueOperatorToken(issueDeps, write, 'Operator token of the first start')
    return { businessId: owner.businessId, ownerToken, operatorToken }
  })
  if ('refused' in first) throw new Error(`The first start was refused: ${first.refused}`)
  return first
}

/** Issues an operator token to whoever holds the database and the master key: the way back in when every other token is lost or dead. */
export async function recoverOperator(deps: Omit<Deps, 'sealingKey'>, issueDeps: IssueDeps): Promise<string> {
  const { installation } = issueDeps
  const token = await writeOffline(
    deps,
    offlineActor(installation),
  )<string>(async (tx, audit) => {
    await audit('operator.recovered', { businessId: null, id: installation.operatorUserId })
    return issueOperatorToken(issueDeps, (unit) => unit(tx, audit), 'Recovered operator token')
  })
  if (typeof token !== 'string') throw new Error(`The recovery was refused: ${token.refused}`)
  return token
}

function issueOperatorToken(issueDeps: IssueDeps, write: Write, name: string): Promise<string> {
  return mustIssue(issueDeps, write, {
    holder: { businessId: null, userId: issueDeps.installation.operatorUserId },
    name,
    grant: () => ({ scopes: OPERATOR_SCOPES }),
  })
}

async function mustIssue(
  deps: IssueDeps,
  write: Write,
  request: Pick<IssueRequest, 'holder' | 'name' | 'grant'>,
): Promise<string> {
  const days = { expiresInDays: FIRST_TOKEN_DAYS, description: null, issuedBy: null }
  const outcome = await issueToken(deps, write, { ...request, ...days })
  if ('refused' in outcome) throw new Error(`A first token was refused: ${outcome.refused}`)
  return outcome.token
}
