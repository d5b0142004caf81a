import { type Latency, latency } from '../report/statistics.ts'
import { Connection } from './connection.ts'

/** A load on one server: every client sends its next request as soon as the one before is answered. */
export interface Load {
  /** Of several, the clients take one each in turn. */
  readonly port: number | readonly number[]
  readonly clients: number
  /** The next request of a client, which are counted from 0; `undefined` when there are no more. */
  readonly next: (client: number) => Buffer | undefined
  /** No request is begun later than this; {@link Infinity} to go on until there are no more. */
  readonly durationMs: number
  readonly expectedStatus: number
  /** Called with every body when given. */
  readonly onBody?: (body: Buffer) => void
  /** Called with the status line and the header fields of every response when given. What it throws fails the load. */
  readonly onHead?: (head: string, client: number) => void
  /** How long a client waits before each of its requests; not at all unless given. */
  readonly pauseMs?: () => number
}

export interface LoadResult extends Latency {
  readonly requests: number
  readonly perSecond: number
}

/**
 * Applies a load.
 *
 * @throws Error when a response has another status than the expected one, or a connection breaks.
 */
export async function drive(load: Load): Promise<LoadResult> {
  const latenciesMs: number[] = []
  const done = Promise.withResolvers<void>()
  const connections: Connection[] = []
  const ports = [load.port].flat()
  let active = 0
  let startedMs = 0
  let lastAnswerMs = 0

  async function addClient(client: number): Promise<() => void> {
    let sentMs = 0
    const port = ports[client % ports.length] ?? 0
    const connection = await Connection.open(port, answered, load.onBody !== undefined)
    connections.push(connection)
    return begin

    function begin(): void {
      if (load.pauseMs === undefined) sendNext()
      else setTimeout(sendNext, load.pauseMs())
    }

    function sendNext(): void {
      const nowMs = performance.now()
      const request = nowMs - startedMs < load.durationMs ? load.next(client) : undefined
      if (request === undefined) {
        active -= 1
        if (active === 0) done.resolve()
        return
      }
      sentMs = nowMs
      connection.send(request)
    }

    function answered(status: number, body: Buffer | undefined, head: string): void {
      if (status !== load.expectedStatus) throw new Error(`Answered ${status} instead of ${load.expectedStatus}`)
      lastAnswerMs = performance.now()
      latenciesMs.push(lastAnswerMs - sentMs)
      load.onHead?.(head, client)
      if (body !== undefined) load.onBody?.(body)
      begin()
    }
  }

  try {
    const clients = await Promise.all(Array.from({ length: load.clients }, (_, client) => addClient(client)))
    active = clients.length
    startedMs = performance.now()
    for (const begin of clients) begin()
    await Promise.race([done.promise, ...connections.map(({ broken }) => broken)])
  } finally {
    for (const connection of connections) connection.close()
  }
  if (latenciesMs.length === 0) throw new Error('The load held no request')
  return {
    requests: latenciesMs.length,
    perSecond: (latenciesMs.length / (lastAnswerMs - startedMs)) * 1000,
    ...latency(latenciesMs),
  }
}
