import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type OnResponse, ResponseParser } from './response-parser.ts'

const READ_BUFFER_BYTES = 64 * 1024

/** A kept-alive connection that carries one request at a time. */
export class Connection {
  readonly #socket: Socket
  /** Rejects when the connection breaks before {@link close}. */
  readonly broken: Promise<never>

  private constructor(socket: Socket, broken: Promise<never>) {
    this.#socket = socket
    this.broken = broken
  }

  /** @param keepsBodies whether bodies are handed on */
  static async open(port: number, onResponse: OnResponse, keepsBodies: boolean): Promise<Connection> {
    const parser = new ResponseParser(onResponse, keepsBodies)
    const { promise: broken, reject } = Promise.withResolvers<never>()
    // Whoever drives the connection races against this; when nobody does any more, it is of no interest.
    broken.catch(() => {})
    const onread = {
      // One buffer for all reads: no allocation and no stream machinery per response.
      buffer: Buffer.allocUnsafe(READ_BUFFER_BYTES),
      callback: (size: number, buffer: Uint8Array) => {
        try {
          parser.push(Buffer.from(buffer.buffer, buffer.byteOffset, size))
        } catch (error) {
          reject(error)
        }
        return true
      },
    }
    const socket = connect({ host: '127.0.0.1', port, noDelay: true, onread })
    socket.on('error', reject)
    socket.on('end', () => reject(new Error('The server closed a connection in use')))
    await once(socket, 'connect')
    return new Connection(socket, broken)
  }

  /** @param request a whole request, head and body */
  send(request: Buffer): void {
    this.#socket.write(request)
  }

  close(): void {
    this.#socket.destroy()
  }
}
