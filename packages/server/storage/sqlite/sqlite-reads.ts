import type { Entry, Position } from '@rescind/protocol'
import type { Business, Installation, Member, SigningKeyRecord, Standing, TokenRecord } from '../records.ts'
import type { Reads, TokenFilter, TokenQuery } from '../storage.ts'
import type { RememberedStandings } from './remembered-standings.ts'
import type { Statements } from './statements.ts'

/** Runs a synchronous step when its turn has come. */
type RunStep = <T>(step: () => T) => Promise<T>

/** Reads through prepared statements, each at the moment `run` chooses. */
export class SqliteReads implements Reads {
  readonly #statements: Statements
  readonly #run: RunStep
  protected readonly standings: RememberedStandings

  constructor(statements: Statements, standings: RememberedStandings, run: RunStep) {
    this.#statements = statements
    this.standings = standings
    this.#run = run
  }

  installation(): Promise<Installation | undefined> {
    return this.#run(() => this.#statements.installation())
  }
  head(): Promise<Position> {
    return this.#run(() => this.#statements.head())
  }
  entriesAfter(seq: number, limit: number): Promise<Entry[]> {
    return this.#run(() => this.#statements.firstEntriesAfter(seq, limit))
  }

  tokenByIdOrJti(uuid: string): Promise<TokenRecord | undefined> {
    return this.#run(() => this.#statements.tokenByIdOrJti(uuid))
  }
  standing(idx: number): Promise<Standing | undefined> {
    if (this.standings.has(idx)) return Promise.resolve(this.standings.get(idx))
    return this.#run(() => {
      const standing = this.#statements.standing(idx)
      this.standings.remember(idx, standing)
      return standing
    })
  }
  activeTokens(businessId: string | null, userId: string, nowMs: number): Promise<TokenRecord[]> {
    return this.#run(() => this.#statements.activeTokens(businessId, userId, nowMs))
  }
  listTokens(query: TokenQuery): Promise<TokenRecord[]> {
    return this.#run(() => this.#statements.listTokens(query))
  }
  countTokens(filter: TokenFilter): Promise<number> {
    return this.#run(() => this.#statements.countTokens(filter))
  }

  business(id: string): Promise<Business | undefined> {
    return this.#run(() => this.#statements.business(id))
  }
  member(businessId: string, userId: string): Promise<Member | undefined> {
    return this.#run(() => this.#statements.member(businessId, userId))
  }
  memberByEmail(businessId: string, email: string): Promise<Member | undefined> {
    return this.#run(() => this.#statements.memberByEmail(businessId, email))
  }
  countOwners(businessId: string): Promise<number> {
    return this.#run(() => this.#statements.countOwners(businessId))
  }

  signingKey(kid: string): Promise<SigningKeyRecord | undefined> {
    return this.#run(() => this.#statements.signingKey(kid))
  }
  signingKeys(): Promise<SigningKeyRecord[]> {
    return this.#run(() => this.#statements.signingKeys())
  }
}
