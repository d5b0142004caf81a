import type { Entry, Position } from '@rescind/protocol'
import type { Business, Installation, Member, SigningKeyRecord, Standing, TokenRecord } from '../records.ts'
import type { Reads, TokenFilter, TokenQuery } from '../storage.ts'
import { readInstallation } from './installation.ts'
import { businessById, countOwners, memberByEmail, memberById } from './members.ts'
import { entriesAfter, head } from './revocation-log.ts'
import { signingKeyByKid, signingKeys } from './signing-keys.ts'
import { standingByIdx } from './standing.ts'
import type { Run } from './statement.ts'
import type { TokenLists } from './token-lists.ts'
import { tokenById, tokenByJti } from './tokens.ts'

/** Everything that is read, one statement each, run however `run` runs it. */
export class SqlReads implements Reads {
  protected readonly run: Run
  readonly #lists: TokenLists

  constructor(run: Run, lists: TokenLists) {
    this.run = run
    this.#lists = lists
  }

  installation(): Promise<Installation | undefined> {
    return this.run(readInstallation, {})
  }
  head(): Promise<Position> {
    return this.run(head, {})
  }
  entriesAfter(seq: number, limit: number): Promise<Entry[]> {
    return this.run(entriesAfter, { seq, limit })
  }

  async tokenByIdOrJti(uuid: string): Promise<TokenRecord | undefined> {
    return (await this.run(tokenById, { id: uuid })) ?? (await this.run(tokenByJti, { jti: uuid }))
  }
  standing(idx: number): Promise<Standing | undefined> {
    return this.run(standingByIdx, { idx })
  }
  activeTokens(businessId: string | null, userId: string, nowMs: number): Promise<TokenRecord[]> {
    return this.#lists.active(this.run, businessId, userId, nowMs)
  }
  countActiveTokens(businessId: string | null, userId: string, nowMs: number): Promise<number> {
    return this.#lists.countActive(this.run, businessId, userId, nowMs)
  }
  listTokens(query: TokenQuery): Promise<TokenRecord[]> {
    return this.#lists.page(this.run, query)
  }
  countTokens(filter: TokenFilter): Promise<number> {
    return this.#lists.count(this.run, filter)
  }

  business(id: string): Promise<Business | undefined> {
    return this.run(businessById, { id })
  }
  member(businessId: string, userId: string): Promise<Member | undefined> {
    return this.run(memberById, { businessId, userId })
  }
  memberByEmail(businessId: string, email: string): Promise<Member | undefined> {
    return this.run(memberByEmail, { businessId, email })
  }
  async countOwners(businessId: string): Promise<number> {
    return (await this.run(countOwners, { businessId })) ?? 0
  }

  signingKey(kid: string): Promise<SigningKeyRecord | undefined> {
    return this.run(signingKeyByKid, { kid })
  }
  signingKeys(): Promise<SigningKeyRecord[]> {
    return this.run(signingKeys, {})
  }
}
