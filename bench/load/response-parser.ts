const END_OF_HEAD = Buffer.from('\r\n\r\n')
const LENGTH = /\r\ncontent-length: *(\d+)/i

/** What a response is reported as: status, body, and the status line with the header fields. */
export type OnResponse = (status: number, body: Buffer | undefined, head: string) => void

/**
 * Finds the responses in what one HTTP/1.1 connection receives. Cheap rather than complete: every response has to say
 * its `Content-Length`, and 1xx responses are not expected.
 */
export class ResponseParser {
  readonly #onResponse: OnResponse
  readonly #keepsBodies: boolean
  /** The beginning of a head whose end has not arrived. */
  #headBytes: Buffer | undefined
  #head = ''
  #missing = 0
  #inBody = false
  #body: Buffer[] = []

  /** @param keepsBodies whether bodies are handed on; otherwise they are only counted */
  constructor(onResponse: OnResponse, keepsBodies: boolean) {
    this.#onResponse = onResponse
    this.#keepsBodies = keepsBodies
  }

  /**
   * @param bytes valid until this returns
   * @throws Error when it is no response, or one without a length
   */
  push(bytes: Buffer): void {
    let rest = bytes
    while (rest.length > 0) rest = this.#inBody ? this.#readBody(rest) : this.#readHead(rest)
  }

  #readHead(bytes: Buffer): Buffer {
    const all = this.#headBytes === undefined ? bytes : Buffer.concat([this.#headBytes, bytes])
    const end = all.indexOf(END_OF_HEAD)
    if (end === -1) {
      this.#headBytes = Buffer.from(all)
      return all.subarray(all.length)
    }
    this.#headBytes = undefined
    const head = all.toString('latin1', 0, end)
    const length = LENGTH.exec(head)?.[1]
    if (!head.startsWith('HTTP/1.1 ') || length === undefined) throw new Error('A response has no length')
    this.#head = head
    this.#missing = Number(length)
    this.#inBody = true
    return this.#readBody(all.subarray(end + END_OF_HEAD.length))
  }

  #readBody(bytes: Buffer): Buffer {
    const part = bytes.subarray(0, this.#missing)
    if (this.#keepsBodies && part.length > 0) this.#body.push(Buffer.from(part))
    this.#missing -= part.length
    if (this.#missing === 0) {
      this.#inBody = false
      const body = this.#keepsBodies ? Buffer.concat(this.#body.splice(0)) : undefined
      this.#onResponse(Number(this.#head.slice(9, 12)), body, this.#head)
    }
    return bytes.subarray(part.length)
  }
}
