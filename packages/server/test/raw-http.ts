import { once } from 'node:events'
import { connect } from 'node:net'

/** An answer as it came over the connection. */
export interface RawAnswer {
  readonly status: number
  /** Every header line, names in lower case, repeated ones kept. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

/**
 * Sends a request exactly as it is given and reads until the service closes the connection, so the request must ask for
 * that.
 *
 * @param lines The request line and the headers, without line ends
 */
export async function sendRaw(url: string, lines: readonly string[], body = ''): Promise<RawAnswer> {
  const connection = await openRaw(url)
  connection.send(`${lines.join('\r\n')}\r\n\r\n${body}`)
  return connection.answer()
}

/** A connection that requests are written to piece by piece. */
export interface RawConnection {
  send(text: string): void
  /** The one answer, once the service has closed the connection. */
  answer(): Promise<RawAnswer>
}

export async function openRaw(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  const closed = once(socket, 'close')
  return {
    send: (text) => socket.write(text),
    answer: async () => {
      await closed
      return parseAnswer(Buffer.concat(chunks).toString())
    },
  }
}

/** The values of a header, in the order of its lines. */
export function headerValues({ headers }: RawAnswer, name: string): readonly string[] {
  return headers.filter(([each]) => each === name).map(([, value]) => value)
}

function parseAnswer(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n')
  return {
    status: Number(statusLine.split(' ')[1]),
    headers: lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
    }),
    body: text.slice(end + 4),
  }
}
