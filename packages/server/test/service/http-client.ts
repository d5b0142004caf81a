import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'

/** One request; `x-business-id` and the token only when given. */
export interface ClientRequest {
  readonly method: string
  readonly path: string
  readonly token?: string
  readonly business?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  /** Sent as JSON. */
  readonly json?: unknown
  /** Sent as it is. */
  readonly body?: string | Uint8Array
}

export interface ClientAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  readonly json: any
}

/** Keeps connections open: cheap enough for load from the same machine. */
export interface HttpClient {
  /** Rejects when no whole answer came. */
  send(request: ClientRequest): Promise<ClientAnswer>
  close(): void
}

export function createHttpClient(url: string): HttpClient {
  const agent = new Agent({ keepAlive: true })
  return { send: (request) => send(url, agent, request), close: () => agent.destroy() }
}

async function send(url: string, agent: Agent, request: ClientRequest): Promise<ClientAnswer> {
  const { method, path, token, business, json } = request
  const body = json === undefined ? request.body : JSON.stringify(json)
  const message = httpRequest(url + path, {
    method,
    agent,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(business !== undefined && { 'x-business-id': business }),
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
      ...request.headers,
    },
  })
  const { promise, resolve, reject } = Promise.withResolvers<ClientAnswer>()
  message.on('error', reject)
  message.on('response', (response) => {
    text(response).then((received) => {
      const { statusCode = 0, headers } = response
      resolve({ status: statusCode, headers, text: received, json: parsed(received) })
    }, reject)
  })
  message.end(body)
  return promise
}

function parsed(received: string): unknown {
  try {
    return JSON.parse(received)
  } catch {
    return undefined
  }
}
