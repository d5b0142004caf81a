import type { ErrorCode, SigningAlgorithm } from '@rescind/protocol'
import type { Access } from '../access/access.ts'
import type { CheckToken } from '../access/check-token.ts'
import type { Revocations } from '../revocations/revocations.ts'
import type { SigningKeys } from '../tokens/signing-keys.ts'
import type { Tokens } from '../tokens/tokens.ts'
import type { FileContent } from './route.ts'

/** What the routes call. */
export interface Services {
  readonly access: Access
  readonly tokens: Tokens
  readonly revocations: Revocations
  readonly keys: Pick<SigningKeys, 'list' | 'rotate' | 'retire'>
  /** Copies everything that is stored. */
  makeBackup(write: ReturnType<Access['writeAs']>): Promise<FileContent | { readonly refused: ErrorCode }>
  /** The service's own verdict on a token. */
  readonly checkToken: CheckToken
  /** Algorithm of new signing keys unless the request names one. */
  readonly defaultAlg: SigningAlgorithm
  /** What every token starts with. */
  readonly tokenPrefix: string
}
