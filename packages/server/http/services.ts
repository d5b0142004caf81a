import type { SigningAlgorithm, Verdict } from '@rescind/protocol'
import type { Expectations, Undecided } from '@rescind/verifier'
import type { Access } from '../access/access.ts'
import type { Revocations } from '../revocations/revocations.ts'
import type { KeyRing } from '../tokens/key-ring.ts'
import type { Tokens } from '../tokens/tokens.ts'

/** What the routes call. */
export interface Services {
  readonly access: Access
  readonly tokens: Tokens
  readonly revocations: Revocations
  readonly keys: Pick<KeyRing, 'list' | 'rotate' | 'retire'>
  /** The verdict that the service's own verifier gives on a token. */
  readonly verify: (token: string, expected: Expectations) => Verdict | Undecided
  /** Algorithm of new signing keys unless the request names one. */
  readonly defaultAlg: SigningAlgorithm
  /** What every token starts with. */
  readonly tokenPrefix: string
}
