import type { NewToken } from '../packages/server/storage/storage.ts'

/** A token that was handed out, as whoever uses it knows it. */
export interface IssuedToken {
  readonly text: string
  readonly record: NewToken
}
