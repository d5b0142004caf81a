import { randomBytes } from 'node:crypto'
import { FEED_PATH } from '@rescind/protocol'
import { encodeRequest, type RawAnswer, sendRaw } from '../service/raw-http.ts'

/** Asks for the feed as a WebSocket client does, with the headers given instead of its own, and gives the answer when it is no upgrade. */
export async function handshake(
  url: string,
  authorization: readonly string[],
  { method = 'GET', path = FEED_PATH, headers = {} }: HandshakeChanges = {},
): Promise<RawAnswer | undefined> {
  const upgrade = {
    connection: 'upgrade',
    upgrade: 'websocket',
    'sec-websocket-key': randomBytes(16).toString('base64'),
    'sec-websocket-version': '13',
  }
  const request = { method, path, authorization, headers: { ...upgrade, ...headers } }
  const [answer] = await sendRaw(url, encodeRequest(request, false))
  return answer
}

interface HandshakeChanges {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A WebSocket of the feed that says nothing by itself. */
export async function openFeed(url: string, token: string) {
  const socket = new WebSocket(url.replace('http', 'ws') + FEED_PATH, {
    headers: { authorization: `Bearer ${token}` },
  })
  const closed = new Promise<number>((resolve) => {
    socket.addEventListener('close', ({ code }) => resolve(code), { once: true })
  })
  const firstHeard = new Promise<string>((resolve) => {
    socket.addEventListener('message', ({ data }) => resolve(String(data)), { once: true })
  })
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve(), { once: true })
    socket.addEventListener('error', () => reject(new Error('The feed was not opened.')), { once: true })
  })
  return { send: (message: string | Uint8Array<ArrayBuffer>) => socket.send(message), closed, firstHeard }
}
