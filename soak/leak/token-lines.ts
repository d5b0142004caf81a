import { readFileSync } from 'node:fs'

const NEWLINE = 0x0a

/**
 * Tokens from a file, a line each. Kept as bytes outside of the heap, and made a new string each time, as if they had
 * just come over the network.
 */
export class TokenLines {
  readonly #bytes: Buffer
  readonly #starts: Uint32Array

  constructor(path: string) {
    this.#bytes = readFileSync(path)
    const starts = [0]
    for (let at = this.#bytes.indexOf(NEWLINE); at !== -1; at = this.#bytes.indexOf(NEWLINE, at + 1))
      starts.push(at + 1)
    this.#starts = Uint32Array.from(starts)
  }

  get count(): number {
    return this.#starts.length - 1
  }

  get(index: number): string {
    const [start = 0, next = 0] = this.#starts.subarray(index, index + 2)
    return this.#bytes.toString('latin1', start, next - 1)
  }
}
