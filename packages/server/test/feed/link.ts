import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** The way of the connections to a service, which can fail like a network. */
export interface Link {
  readonly url: string
  /** Leads to another service from now on. */
  leadTo(url: string): void
  /** Breaks every connection, and lets none be made until it is mended. */
  cut(): void
  mend(): void
  /** Nothing that the service sends arrives, and nobody is told. What is sent to it does. */
  loseAnswers(): void
}

export async function openLink(t: { after(end: () => Promise<unknown>): void }, url: string): Promise<Link> {
  let target = new URL(url)
  let isCut = false
  let losesAnswers = false
  const sockets = new Set<Socket>()
  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    // What went wrong is followed by `close`.
    return socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  }
  const server = createServer((near) => {
    keep(near)
    if (isCut) return near.destroy()
    const far = keep(connect(Number(target.port), target.hostname))
    near.on('data', (bytes) => far.write(bytes)).on('close', () => far.destroy())
    far.on('data', (bytes) => losesAnswers || near.write(bytes)).on('close', () => near.destroy())
    return undefined
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const cut = () => {
    isCut = true
    for (const socket of sockets) socket.destroy()
  }
  t.after(async () => {
    cut()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${port}`,
    leadTo: (next) => {
      target = new URL(next)
    },
    cut,
    mend: () => {
      isCut = false
      losesAnswers = false
    },
    loseAnswers: () => {
      losesAnswers = true
    },
  }
}
