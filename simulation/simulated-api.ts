import { createAuthenticate } from '../packages/server/access/authenticate.ts'
import type { CheckToken } from '../packages/server/access/check-token.ts'
import { removeMember, saveMember, type TokenEnder } from '../packages/server/access/members.ts'
import { writeAs } from '../packages/server/access/write-as.ts'
import type { Enforcement } from '../packages/server/revocations/enforcement.ts'
import { endAllTokens, revokeAll, type TenantTarget } from '../packages/server/revocations/revoke-all.ts'
import { endToken, revokeToken } from '../packages/server/revocations/revoke-token.ts'
import type { Installation, Member, Revocation, Storage } from '../packages/server/storage/storage.ts'
import type { Refused } from '../packages/server/storage/write.ts'
import { issueToken } from '../packages/server/tokens/issue-token.ts'
import type { SigningKeys } from '../packages/server/tokens/signing-keys.ts'
import type { IssuedToken } from './issued-token.ts'
import type { Observer } from './observer.ts'
import type { SimulatedProcess } from './process.ts'
import type { Random } from './random.ts'

interface ApiDeps {
  readonly process: SimulatedProcess
  readonly storage: Storage
  readonly observer: Observer
  readonly random: Random
  readonly installation: Installation
  readonly keys: SigningKeys
  readonly checkToken: CheckToken
  readonly enforcement: Enforcement
}

const HOLDER_DAYS = 30

/**
 * What a node does when it is asked to change something: the production code behind the routes, with the token of whoever
 * asks. Every answer is told to the observer; a refusal throws an Error whose message begins with `Refused`.
 */
export class SimulatedApi {
  readonly #deps: ApiDeps

  constructor(deps: ApiDeps) {
    this.#deps = deps
  }

  /** A 201 for the revocation of a token means that its entry is in force. */
  async revoke(by: string, tokenId: string): Promise<number> {
    const { process, enforcement, observer } = this.#deps
    const { principal, write } = await this.#authenticated(by)
    const outcome = await revokeToken({ clock: process.clocks, enforcement }, write, {
      tokenId,
      businessId: principal.kind === 'member' ? principal.businessId : await this.#businessOf(tokenId),
      reach: 'everyone',
      by: principal.email,
      reason: null,
    })
    if ('token' in outcome) observer.answeredToken(outcome.token.idx)
    return this.#answer(outcome, () => ('token' in outcome ? outcome.token.revocation.seq : 0))
  }

  async revokeAll(by: string, target: TenantTarget): Promise<number> {
    const { process, enforcement } = this.#deps
    const { principal, write } = await this.#authenticated(by)
    const request = { target, by: principal.email, reason: null }
    const outcome = await revokeAll({ clock: process.clocks, enforcement }, write, request)
    return this.#answer(outcome, () => ('revocation' in outcome ? outcome.revocation.seq : 0))
  }

  /** Whatever is answered, what ended the tokens of the member before or now is in force: somebody may have asked before. */
  async removeMember(by: string, member: Pick<Member, 'businessId' | 'userId'>): Promise<void> {
    const { principal, write } = await this.#authenticated(by)
    const { observer } = this.#deps
    const before = observer.removalSeq(member)
    const { deps, ended } = this.#memberChange()
    const outcome = await removeMember(deps, write, principal, principal.email, member)
    if (!('refused' in outcome) || outcome.refused === 'member_not_found') observer.answered(Math.max(before, ...ended))
    refuse(outcome)
  }

  /** As {@link removeMember}: a role that is lowered ends the tokens that carry more. */
  async saveMember(by: string, member: Omit<Member, 'createdAtMs'>): Promise<void> {
    const { principal, write } = await this.#authenticated(by)
    const { observer } = this.#deps
    const before = observer.demotionSeq(member)
    const { deps, ended } = this.#memberChange()
    const outcome = await saveMember(deps, write, principal, principal.email, member)
    refuse(outcome)
    if (member.role === 'viewer') observer.answered(Math.max(before, ...ended))
  }

  async issue(by: string, holder: Pick<Member, 'businessId' | 'userId'>): Promise<IssuedToken> {
    const { process, random, installation, keys } = this.#deps
    const { principal, write } = await this.#authenticated(by)
    const outcome = await issueToken(
      {
        installation,
        clock: process.clocks,
        newId: () => random.uuid(7),
        newJti: () => random.uuid(4),
        signingKey: () => keys.current,
        maxActiveTokens: Number.POSITIVE_INFINITY,
      },
      write,
      {
        holder,
        name: 'simulated',
        description: null,
        expiresInDays: HOLDER_DAYS,
        grant: () => ({ scopes: ['tokens:read', 'tokens:write', 'members:write'] }),
        issuedBy: principal.tokenId,
      },
    )
    refuse(outcome)
    if ('refused' in outcome) throw new Error('unreachable')
    return { text: outcome.token, record: outcome.record }
  }

  async rotate(by: string): Promise<void> {
    const { write } = await this.#authenticated(by)
    refuse(await this.#deps.keys.rotate(write, 'EdDSA'))
  }

  async retire(by: string, kid: string): Promise<void> {
    const { principal, write } = await this.#authenticated(by)
    refuse(await this.#deps.keys.retire(write, kid, { by: principal.email, reason: null }))
  }

  async #authenticated(token: string) {
    const { process, storage, random, checkToken } = this.#deps
    const authentication = await createAuthenticate(checkToken)([`Bearer ${token}`])
    if (!('principal' in authentication)) throw new Error('Not authenticated')
    const { principal } = authentication
    const deps = { storage, clock: process.clocks, newId: () => random.uuid(7) }
    return { principal, write: writeAs(deps, principal, { requestId: 'simulated', claimedEmail: null }) }
  }

  async #businessOf(tokenId: string): Promise<string | null> {
    return (await this.#deps.storage.read.tokenByIdOrJti(tokenId))?.businessId ?? null
  }

  /** Notes what a change of a member ends. */
  #memberChange() {
    const { process, enforcement } = this.#deps
    const ended: number[] = []
    const noting = async (revocation: Promise<Revocation>) => {
      ended.push((await revocation).seq)
      return revocation
    }
    const tokens: TokenEnder = {
      endToken: (...token) => noting(endToken(...token)),
      endAllTokens: (...target) => noting(endAllTokens(...target)),
      inForce: (seq) => enforcement.inForce(seq),
    }
    return { deps: { clock: process.clocks, tokens }, ended }
  }

  /** What is sent at this moment means that the entry is in force. */
  #answer(outcome: object | Refused, seqOf: () => number): number {
    refuse(outcome)
    const seq = seqOf()
    if (seq > 0) this.#deps.observer.answered(seq)
    return seq
  }
}

function refuse(outcome: object): void {
  if ('refused' in outcome) throw new Error(`Refused: ${String(outcome.refused)}`)
}
