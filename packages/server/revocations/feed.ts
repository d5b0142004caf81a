import type { Entry, FeedSocket, FeedSocketListener } from '@rescind/protocol'
import type { Reads } from '../storage/storage.ts'
import { FeedLog, type FeedSource } from './feed-log.ts'
import { type FeedCredential, FeedSession, type SessionDeps } from './feed-session.ts'

interface FeedDeps extends Omit<SessionDeps, 'log'> {
  readonly source: FeedSource
  readonly read: Pick<Reads, 'entriesAfter'>
}

/** Every connection of a verifier to this node. */
export class Feed {
  readonly #deps: SessionDeps
  readonly #sessions = new Set<FeedSession>()

  constructor(deps: FeedDeps) {
    this.#deps = { ...deps, log: new FeedLog(deps.source, deps.read) }
  }

  /** Verifiers connected now. */
  get size(): number {
    return this.#sessions.size
  }

  /** Takes a connection over. Everything it hears goes to the listener that is returned. */
  accept(socket: FeedSocket, credential: FeedCredential): FeedSocketListener {
    const session = new FeedSession(this.#deps, socket, credential, () => this.#sessions.delete(session))
    this.#sessions.add(session)
    return session
  }

  /** To be called with what this node has just applied. */
  applied(entries: readonly Entry[]): void {
    this.#deps.log.applied(entries)
    for (const session of this.#sessions) session.advance()
    for (const session of this.#sessions) session.checkCredential()
  }

  /** Tells everybody to connect elsewhere. The leases they hold stay theirs until they end. */
  leave(): void {
    for (const session of this.#sessions) session.leave()
  }

  /** Cuts every connection off. */
  destroy(): void {
    for (const session of this.#sessions) session.destroy()
  }
}
