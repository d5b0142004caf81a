import type { Entry, Position } from '@rescind/protocol'

/** An entry that does not continue the log where it was applied up to: one is missing, repeated or altered, or it is of another log. */
export class LogMismatch extends Error {
  override readonly name = 'LogMismatch'
  /** `not_next`: the number is not the following one. `broken_chain`: it is, but the hashes are not those of this log. */
  readonly reason: 'not_next' | 'broken_chain'
  /** Where the verifier still stands. */
  readonly position: Position

  constructor(position: Position, entry: Entry) {
    const isNext = entry.seq === position.seq + 1
    super(`Entry ${entry.seq} does not continue the log at ${position.seq}${isNext ? ': the hash differs' : ''}`)
    this.reason = isNext ? 'broken_chain' : 'not_next'
    this.position = position
  }
}
