import type { IncomingMessage } from 'node:http'
import {
  authorizationValues,
  bearerToken,
  FEED_PATH,
  type FeedSocket,
  type FeedSocketListener,
  MAX_FEED_MESSAGE_BYTES,
} from '@rescind/protocol'
import { type WebSocket, WebSocketServer } from 'ws'

import { permits } from '../access/authorize.ts'
import { admit } from './admit.ts'

import type { Exchange } from './exchange.ts'
import { handOver } from './hand-over.ts'
import type { Shell } from './shell.ts'
import type { Traffic } from './traffic.ts'

/** Takes the connections of verifiers. */
export interface VerifierFeed {
  /** @returns what hears everything that comes over the connection */
  accept(socket: FeedSocket, credential: VerifierCredential): FeedSocketListener
}

/** What a verifier was let in with. */
export interface VerifierCredential {
  /** Id of the token's record: safe to log. */
  readonly tokenId: string
  readonly token: string
}

interface Deps extends Pick<Shell, 'authenticate'> {
  readonly feed: VerifierFeed
  readonly traffic: Pick<Traffic, 'of'>
}

/** Lets verifiers in: requests are authenticated like all others before their connection becomes one of the feed. */
export class FeedDoor {
  readonly #deps: Deps
  readonly #webSockets: WebSocketServer

  constructor(deps: Deps) {
    this.#deps = deps
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: MAX_FEED_MESSAGE_BYTES,
    })
    this.#webSockets.on('headers', (headers, request) => headers.push(`x-request-id: ${deps.traffic.of(request).id}`))
    // What is wrong with a handshake is answered below.
    this.#webSockets.on('wsClientError', () => {})
  }

  /** Whether the connection of a request may become one of the feed. */
  leadsIn({ method, url, httpVersion, headers }: IncomingMessage): boolean {
    const isFeed = method === 'GET' && url?.split('?', 1)[0] === FEED_PATH
    return isFeed && httpVersion === '1.1' && headers.upgrade?.toLowerCase() === 'websocket'
  }

  /** Serves a request that {@link leadsIn}. Answers by itself and never throws. */
  upgrade(exchange: Exchange, head: Buffer): void {
    this.#serve(exchange, (credential) => this.#letIn(exchange, head, credential))
  }

  /** Serves a request that asks for the feed in any other way. Answers by itself and never throws. */
  refuse(exchange: Exchange): void {
    this.#serve(exchange, () => exchange.refuse('upgrade_required', { upgrade: 'websocket' }))
  }

  #serve(exchange: Exchange, admitted: (credential: VerifierCredential) => void): void {
    exchange.route = FEED_PATH
    const authorization = authorizationValues(exchange.request.rawHeaders)
    this.#deps
      .authenticate(authorization)
      .then((authentication) => {
        const principal = admit(exchange, authentication)
        if (principal === undefined) return
        if (!permits(principal, ['feed'])) exchange.refuse('scope_missing')
        else admitted({ tokenId: principal.tokenId, token: bearerToken(authorization[0] ?? '') ?? '' })
      })
      .catch((fault: unknown) => exchange.fail(fault))
  }

  #letIn(exchange: Exchange, head: Buffer, credential: VerifierCredential): void {
    const { request } = exchange
    if (request.headers['sec-websocket-version'] !== '13') {
      // RFC 6455 section 4.2.2.
      exchange.refuse('upgrade_required', { upgrade: 'websocket', 'sec-websocket-version': '13' })
      return
    }
    let webSocket: WebSocket | undefined
    this.#webSockets.handleUpgrade(request, request.socket, head, (accepted) => {
      webSocket = accepted
    })
    if (webSocket === undefined) exchange.refuse('bad_request')
    else {
      exchange.switchProtocols()
      handOver(webSocket, (socket) => this.#deps.feed.accept(socket, credential))
    }
  }
}
