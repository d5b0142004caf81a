import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ErrorCode } from '@rescind/protocol'

/** One request and its answer, with what the log will say of them. */
export interface Exchange {
  /** Sent back as `x-request-id`. */
  readonly id: string
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** On the monotonic clock. */
  readonly startedMs: number
  /** It began before the service started to shut down. */
  readonly admitted: boolean
  /** The pattern of the route, never the URL itself. */
  route?: string
  tokenId?: string
  businessId?: string
  /** Status of the answer; the first one decided counts. */
  status?: number
  /** Why the request was refused. */
  refusal?: ErrorCode
  /** What the refusal's code leaves open, from a closed list or about the service itself, never from the request. */
  reason?: string
  /** What went wrong inside the service. */
  fault?: unknown
  /** The connection closed before the answer was out. What the request asked for is still carried through. */
  clientGone?: boolean
}
