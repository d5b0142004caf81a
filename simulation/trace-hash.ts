const number = new Float64Array(1)
const halves = new Int32Array(number.buffer)

/** A cheap running hash of what happened: two runs that differ anywhere end with different values, near enough. */
export class TraceHash {
  #left = 0x2545f491
  #right = 0x3c6ef372

  text(text: string): void {
    for (let at = 0; at < text.length; at++) this.#fold(text.charCodeAt(at))
    this.#fold(text.length)
  }

  number(value: number): void {
    number[0] = value
    this.#fold(halves[0] as number)
    this.#fold(halves[1] as number)
  }

  /** 16 hex digits. */
  get value(): string {
    return [this.#left, this.#right].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('')
  }

  #fold(bits: number): void {
    this.#left = Math.imul(this.#left ^ bits, 0x85ebca6b)
    this.#left ^= this.#left >>> 15
    this.#right = (Math.imul(this.#right ^ (this.#right >>> 13), 0xc2b2ae35) + bits) | 0
  }
}
