/** What the server puts up with from a connection. */
export interface Limits {
  readonly bodyBytes: number
  readonly headerBytes: number
  /** From the first byte of a request, or the opening of the connection, to the end of its headers. With {@link timeoutCheckMs}, how long who has not said who they are can hold a connection. */
  readonly headersTimeoutMs: number
  /** From the first byte of a request to the end of its body. At least {@link headersTimeoutMs}. */
  readonly requestTimeoutMs: number
  /** How often both are checked. */
  readonly timeoutCheckMs: number
  /** How long an idle connection stays open. */
  readonly keepAliveTimeoutMs: number
  /** How long a client may take no byte of an answer that is ready for it. */
  readonly stalledAnswerMs: number
}

export const DEFAULT_LIMITS: Limits = {
  bodyBytes: 64 * 1024,
  headerBytes: 16 * 1024,
  headersTimeoutMs: 4_000,
  requestTimeoutMs: 10_000,
  timeoutCheckMs: 1_000,
  keepAliveTimeoutMs: 72_000,
  stalledAnswerMs: 30_000,
}
