import type { Authentication } from '../access/authentication.ts'
import type { Limits } from './limits.ts'

/** What serving a request needs besides its route. */
export interface Shell {
  readonly limits: Limits
  /** From the values of all `Authorization` headers of a request. */
  readonly authenticate: (authorization: readonly string[]) => Promise<Authentication>
}
