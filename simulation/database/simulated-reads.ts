import type { Entry, Position } from '@rescind/protocol'
import type {
  Business,
  Installation,
  Member,
  Reads,
  SigningKeyRecord,
  Standing,
  TokenRecord,
} from '../../packages/server/storage/storage.ts'
import type { View } from './view.ts'

/** Sends a statement that only reads. */
export type AskView = <T>(read: (view: View) => T) => Promise<T>

/** Reads, each a statement of its own. */
export class SimulatedReads implements Reads {
  readonly #ask: AskView

  constructor(ask: AskView) {
    this.#ask = ask
  }

  installation(): Promise<Installation | undefined> {
    return this.#ask((view) => view.installation())
  }
  head(): Promise<Position> {
    return this.#ask((view) => view.head())
  }
  entriesAfter(seq: number, limit: number): Promise<Entry[]> {
    return this.#ask((view) => view.entriesAfter(seq, limit))
  }

  tokenByIdOrJti(uuid: string): Promise<TokenRecord | undefined> {
    return this.#ask((view) => view.tokenByIdOrJti(uuid))
  }
  standing(idx: number): Promise<Standing | undefined> {
    return this.#ask((view) => view.standing(idx))
  }
  activeTokens(businessId: string | null, userId: string, nowMs: number): Promise<TokenRecord[]> {
    return this.#ask((view) => view.activeTokens(businessId, userId, nowMs))
  }
  countActiveTokens(businessId: string | null, userId: string, nowMs: number): Promise<number> {
    return this.#ask((view) => view.countActiveTokens(businessId, userId, nowMs))
  }
  listTokens(): Promise<TokenRecord[]> {
    return Promise.reject(new Error('Lists are not simulated.'))
  }
  countTokens(): Promise<number> {
    return Promise.reject(new Error('Lists are not simulated.'))
  }

  business(id: string): Promise<Business | undefined> {
    return this.#ask((view) => view.business(id))
  }
  member(businessId: string, userId: string): Promise<Member | undefined> {
    return this.#ask((view) => view.member(businessId, userId))
  }
  memberByEmail(businessId: string, email: string): Promise<Member | undefined> {
    return this.#ask((view) => view.memberByEmail(businessId, email))
  }
  countOwners(businessId: string): Promise<number> {
    return this.#ask((view) => view.countOwners(businessId))
  }

  signingKey(kid: string): Promise<SigningKeyRecord | undefined> {
    return this.#ask((view) => view.signingKey(kid))
  }
  signingKeys(): Promise<SigningKeyRecord[]> {
    return this.#ask((view) => view.signingKeys())
  }
}
