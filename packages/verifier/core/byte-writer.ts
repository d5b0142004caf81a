import { isUuid } from '@rescind/protocol'

/** Collects bytes that a `ByteReader` reads back. */
export class ByteWriter {
  #bytes = Buffer.alloc(4096)
  #length = 0

  byte(value: number): void {
    this.#makeRoom(1)
    this.#bytes[this.#length++] = value
  }

  bytes(bytes: Uint8Array): void {
    this.#makeRoom(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** @param text lower-case hex */
  hex(text: string): void {
    this.bytes(Buffer.from(text, 'hex'))
  }

  base64url(text: string): void {
    this.bytes(Buffer.from(text, 'base64url'))
  }

  /** @throws TypeError when `id` is not a lower-case UUID */
  uuid(id: string): void {
    if (!isUuid(id)) throw new TypeError('An id must be a lower-case UUID')
    this.hex(id.replaceAll('-', ''))
  }

  /** Seven bits a byte, lowest first; all bytes but the last have the high bit set (LEB128). */
  natural(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.byte((rest % 0x80) | 0x80)
      rest = Math.floor(rest / 0x80)
    }
    this.byte(rest)
  }

  /** A copy of all that was written. */
  finish(): Uint8Array {
    return new Uint8Array(this.#bytes.subarray(0, this.#length))
  }

  #makeRoom(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const larger = Buffer.alloc(2 * (this.#length + count))
    larger.set(this.#bytes)
    this.#bytes = larger
  }
}
