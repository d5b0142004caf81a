/** Reads what a `ByteWriter` wrote. Where it would not have written what is there, reading throws a RangeError. */
export class ByteReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  byte(): number {
    return this.#take(1).readUInt8()
  }

  hex(bytes: number): string {
    return this.#take(bytes).toString('hex')
  }

  base64url(bytes: number): string {
    return this.#take(bytes).toString('base64url')
  }

  uuid(): string {
    const hex = this.hex(16)
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
  }

  natural(): number {
    let value = 0
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.byte()
      value += (byte & 0x7f) * scale
      if (!(value <= Number.MAX_SAFE_INTEGER)) throw new RangeError('A number is too large')
      if (byte < 0x80) {
        if (byte === 0 && scale > 1) throw new RangeError('A number has more bytes than it needs')
        return value
      }
    }
  }

  /** All that has not been read. */
  get rest(): Uint8Array {
    return this.#bytes.subarray(this.#at)
  }

  skip(bytes: number): void {
    this.#take(bytes)
  }

  #take(count: number): Buffer {
    const end = this.#at + count
    if (end > this.#bytes.length) throw new RangeError('The bytes end too early')
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }
}
