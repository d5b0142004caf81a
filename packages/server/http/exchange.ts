import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream'
import { ERRORS, type ErrorCode, Unavailable } from '@rescind/protocol'
import { errorBody } from './error-body.ts'
import type { FileContent } from './route.ts'

/** Headers of an answer, by lower-case name. */
type ResponseHeaders = Readonly<Record<string, string>>

/** What an exchange needs of the traffic it is part of. */
interface Surroundings {
  readonly draining: boolean
  send(write: () => void): void
  end(exchange: Exchange): void
}

interface Opening {
  readonly id: string
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly startedMs: number
  readonly admitted: boolean
}

/** Seconds after which a client may try again. */
const RETRY_AFTER_SEC = '1'

/** One request and its answer, with what the log will say of them. */
export class Exchange {
  /** Sent back as `x-request-id`. */
  readonly id: string
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** On the monotonic clock. */
  readonly startedMs: number
  /** It began before the service started to shut down. */
  readonly admitted: boolean
  /** The pattern of the route, never the URL itself. */
  route: string | undefined
  tokenId: string | undefined
  businessId: string | undefined
  /** Status of the answer; the first one decided counts. */
  status: number | undefined
  /** Why the request was refused. */
  refusal: ErrorCode | undefined
  /** What the refusal's code leaves open, from a closed list or about the service itself, never from the request. */
  reason: string | undefined
  /** What went wrong inside the service. */
  fault: unknown
  /** The client hung up before the answer was out. What the request asked for is still carried through. */
  clientGone = false
  readonly #traffic: Surroundings

  constructor(traffic: Surroundings, { id, request, response, startedMs, admitted }: Opening) {
    this.#traffic = traffic
    this.id = id
    this.request = request
    this.response = response
    this.startedMs = startedMs
    this.admitted = admitted
  }

  get answered(): boolean {
    return this.status !== undefined || this.response.headersSent
  }

  /** Answers with a JSON document. Does nothing when the exchange has been answered. */
  respond(status: number, body: string, more?: ResponseHeaders): void {
    if (this.answered) return
    this.status = status
    const headers: Record<string, string | number> = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      'x-request-id': this.id,
    }
    if (more !== undefined) Object.assign(headers, more)
    if (this.#traffic.draining) headers.connection = 'close'
    this.#traffic.send(() => this.response.writeHead(status, headers).end(body))
    this.#traffic.end(this)
  }

  /** Answers with a file. Whatever becomes of the connection, its content is read to the end or destroyed. */
  respondWithFile({ bytes, content }: FileContent, mediaType: string): void {
    if (this.answered) {
      content.destroy()
      return
    }
    this.status = 200
    if (this.clientGone) {
      content.destroy()
      this.#traffic.end(this)
      return
    }
    this.response.writeHead(200, {
      'content-type': mediaType,
      'content-length': bytes,
      'cache-control': 'no-store',
      'x-request-id': this.id,
      ...(this.#traffic.draining && { connection: 'close' }),
    })
    pipeline(content, this.response, (fault) => {
      if (fault && !this.clientGone) this.fault = fault
      this.#traffic.end(this)
    })
  }

  /** The connection belongs to another protocol from now on (RFC 9110 section 15.2.2). */
  switchProtocols(): void {
    this.status = 101
    this.response.detachSocket(this.request.socket)
    this.#traffic.end(this)
  }

  /** Answers with a row of the error table. */
  refuse(code: ErrorCode, more?: ResponseHeaders): void {
    this.refusal ??= code
    const { status } = ERRORS[code]
    const headers = status === 503 ? { 'retry-after': RETRY_AFTER_SEC, ...more } : more
    this.respond(status, errorBody(code), headers)
  }

  /** Answers that the service could not do what was asked; the cause goes to the log. */
  fail(fault: unknown): void {
    this.fault = fault
    this.refuse(fault instanceof Unavailable ? fault.code : 'internal')
  }
}
