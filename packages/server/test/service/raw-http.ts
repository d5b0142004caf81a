import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number
  /** As sent: names in their case, in order. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

/** A request as bytes; `authorization` values go out as they are, one header each. */
export interface RawRequest {
  readonly method: string
  readonly path: string
  readonly authorization?: readonly (string | Uint8Array)[]
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

export async function openSocket(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  return socket
}

/** Sends bytes in one write and gives every answer that comes back before the server closes. */
export async function sendRaw(url: string, bytes: Uint8Array): Promise<RawAnswer[]> {
  const socket = await openSocket(url)
  // An answer may come, and the connection close, before everything was read.
  socket.on('error', () => {})
  const received = buffer(socket)
  socket.write(bytes)
  return parseAnswers(await received)
}

/** Requests one after the other on one connection, in one write; the last asks to close. */
export function pipeline(url: string, requests: readonly RawRequest[]): Promise<RawAnswer[]> {
  const parts = requests.map((request, index) => encodeRequest(request, index === requests.length - 1))
  return sendRaw(url, Buffer.concat(parts))
}

export function encodeRequest(request: RawRequest, close: boolean): Buffer {
  const { method, path, authorization = [], headers = {}, body } = request
  const lines: Uint8Array[] = [Buffer.from(`${method} ${path} HTTP/1.1\r\nhost: localhost\r\n`)]
  for (const value of authorization) {
    lines.push(Buffer.from('authorization: '), Buffer.from(value), Buffer.from('\r\n'))
  }
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const rest = { ...headers, ...length, ...(close && { connection: 'close' }) }
  for (const [name, value] of Object.entries(rest)) lines.push(Buffer.from(`${name}: ${value}\r\n`))
  return Buffer.concat([...lines, Buffer.from('\r\n'), Buffer.from(body ?? '')])
}

function parseAnswers(bytes: Buffer): RawAnswer[] {
  const answers: RawAnswer[] = []
  let rest = bytes
  while (rest.length > 0) {
    const headEnd = rest.indexOf('\r\n\r\n')
    if (headEnd === -1) throw new Error(`Not an answer: ${rest.toString('latin1').slice(0, 200)}`)
    const [statusLine = '', ...lines] = rest.toString('latin1', 0, headEnd).split('\r\n')
    const headers = lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1).trim()] as const
    })
    const length = Number(headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1] ?? 0)
    const body = rest.subarray(headEnd + 4, headEnd + 4 + length)
    answers.push({ status: Number(statusLine.split(' ')[1]), headers, body: body.toString('utf8') })
    rest = rest.subarray(headEnd + 4 + length)
  }
  return answers
}
