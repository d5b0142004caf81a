import type { Authentication } from '../access/authentication.ts'
import type { Limits } from './limits.ts'

/** What serving a request needs besides its route. */
export interface Shell {
  readonly limits: Limits
  /** Milliseconds on a clock that never goes back. */
  readonly monotonicMs: () => number
  /** From the values of all `Authorization` headers of a request. */
  readonly authenticate: (authorization: readonly string[]) => Promise<Authentication>
}
