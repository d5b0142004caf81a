/** Least and most of a quantity that is drawn evenly; the most is never reached. */
export type Range = readonly [least: number, most: number]

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/**
 * A reproducible stream of random numbers (sfc32). Streams forked from one seed under different labels are independent
 * of each other, and of how much was drawn from any of them.
 */
export class Random {
  readonly #seed: string
  #a: number
  #b: number
  #c: number
  #counter: number

  constructor(seed: string | number) {
    this.#seed = String(seed)
    let state = textHash(this.#seed)
    const draw = () => {
      state = (state + 0x9e3779b9) | 0
      return mixed(state)
    }
    this.#a = draw()
    this.#b = draw()
    this.#c = draw() ^ textHash(`${this.#seed} again`)
    this.#counter = 1
    for (let round = 0; round < 12; round++) this.#next32()
  }

  /** Another stream. The same label gives the same one again. */
  fork(label: string): Random {
    return new Random(`${this.#seed}/${label}`)
  }

  /** At least 0, less than 1. */
  next(): number {
    return (this.#next32() >>> 0) / 0x1_0000_0000
  }

  /** A whole number from 0 to `n` - 1. */
  integer(n: number): number {
    return Math.floor(this.next() * n)
  }

  /** At least `least`, less than `most`. */
  between(least: number, most: number): number {
    return least + this.next() * (most - least)
  }

  within([least, most]: Range): number {
    return this.between(least, most)
  }

  /** True with this probability. Draws nothing for one that is never true. */
  chance(probability: number): boolean {
    return probability > 0 && this.next() < probability
  }

  /** @throws RangeError for an empty list */
  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new RangeError('There is nothing to pick from.')
    return list[this.integer(list.length)] as T
  }

  /** In the shape of this version of RFC 9562; every other bit is random. */
  uuid(version: 4 | 7 = 4): string {
    const a = this.#next32()
    const b = (this.#next32() & 0xffff0fff) | (version << 12)
    const c = (this.#next32() & 0x3fffffff) | 0x80000000
    const d = this.#next32()
    return `${hex(a)}-${hex(b >>> 16, 2)}-${hex(b & 0xffff, 2)}-${hex(c >>> 16, 2)}-${hex(c & 0xffff, 2)}${hex(d)}`
  }

  #next32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum
  }
}

function hex(value: number, bytes: 2 | 4 = 4): string {
  const low = `${HEX[(value >>> 8) & 0xff]}${HEX[value & 0xff]}`
  return bytes === 2 ? low : `${HEX[value >>> 24]}${HEX[(value >>> 16) & 0xff]}${low}`
}

/** FNV-1a, finished so that every bit of the text reaches every bit of the result. */
function textHash(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return mixed(hash)
}

function mixed(value: number): number {
  let bits = Math.imul(value ^ (value >>> 16), 0x21f0aaad)
  bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97)
  return bits ^ (bits >>> 15)
}
