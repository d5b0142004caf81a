/** The command was called wrongly. The message is one sentence that says what to change, without secrets. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
