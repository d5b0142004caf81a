import type { Reads } from '../storage/storage.ts'
import type { Refused, Write } from '../storage/write.ts'
import type { CursorCodec } from './cursor.ts'
import { findToken, type Reach, type TokenRecord } from './find-token.ts'
import { type IssueDeps, type IssueOutcome, type IssueRequest, issueToken } from './issue-token.ts'
import { type ListRequest, listTokens, type TokenPage } from './list-tokens.ts'

/** Everything the API does with tokens but ending them. */
export interface Tokens {
  issue(write: Write, request: IssueRequest): Promise<IssueOutcome>
  find(tokenId: string, businessId: string | null, reach: Reach): Promise<TokenRecord | Refused>
  list(request: ListRequest): Promise<TokenPage | Refused>
}

export function createTokens(deps: IssueDeps & { readonly read: Reads; readonly cursors: CursorCodec }): Tokens {
  return {
    issue: (write, request) => issueToken(deps, write, request),
    find: (tokenId, businessId, reach) => findToken(deps.read, tokenId, businessId, reach),
    list: (request) => listTokens(deps, request),
  }
}
