import type { IncomingMessage } from 'node:http'

/** The whole body, or why there is none. */
export type BodyBytes = Buffer | 'too_large' | 'cut_short'

const EMPTY = Buffer.alloc(0)

/** Collects the body of a request. What goes beyond `limit` bytes is not kept. Never rejects. */
export function readBody(request: IncomingMessage, limit: number): BodyBytes | Promise<BodyBytes> {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers
  if (encoding === undefined && (length === undefined || length === '0')) return EMPTY
  if (Number(length) > limit) return 'too_large'
  // Gone before anybody listened: no event will come any more.
  if (request.destroyed) return 'cut_short'
  return new Promise((resolve) => {
    let first: Buffer | undefined
    let chunks: Buffer[] | undefined
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > limit) {
        chunks = undefined
        resolve('too_large')
      } else if (first === undefined) first = chunk
      else if (chunks === undefined) chunks = [first, chunk]
      else chunks.push(chunk)
    })
    request.on('end', () => resolve(chunks === undefined ? (first ?? EMPTY) : Buffer.concat(chunks)))
    // After 'end' this changes nothing. Node raises no 'error' on a request that has no listener for it.
    request.on('close', () => resolve('cut_short'))
  })
}
