import { PAGE_BITS } from './bitmap.ts'

/**
 * A page of a bitmap in few bytes: two that say how many integers it has, less one (little-endian), then the gaps
 * between them in Golomb-Rice code, lowest bit first; where more than half are there, the gaps between those missing.
 * For random integers that is close to the least there can be, whatever their number, and it is never more than two
 * bytes above the page itself.
 *
 * A page has one packed form, the same on every machine, and no two pages share one. General compression promises
 * neither: its output differs between builds, and many outputs read as the same page.
 */

const COUNT_BITS = 16
/** A write reaches up to two bytes beyond the one it starts in. */
const SPARE_BYTES = 2

/** @param words a page with something in it */
export function packPage(words: Int32Array): Uint8Array {
  const count = words.reduce((sum, word) => sum + bitsIn(word), 0)
  const { low, inverse } = codeFor(count)
  const packed = new Uint8Array((COUNT_BITS + PAGE_BITS) / 8 + SPARE_BYTES)
  put(packed, 0, count - 1)
  let at = COUNT_BITS
  let previous = -1
  for (let position = 0; position < words.length; position++) {
    for (let rest = (words[position] ?? 0) ^ inverse; rest !== 0; rest &= rest - 1) {
      const index = position * 32 + lowestBit(rest)
      const gap = index - previous - 1
      previous = index
      // As many zeros as the high part of the gap says, a one, then its low part.
      at += gap >>> low
      put(packed, at, 1 | ((gap & mask(low)) << 1))
      at += 1 + low
    }
  }
  return packed.subarray(0, Math.ceil(at / 8))
}

/**
 * Reads the packed page at the start of `bytes`.
 *
 * @param words where the page goes; its content is of no use when nothing could be read
 * @returns how many bytes the page took, or `undefined` when there is none. Never throws.
 */
export function unpackPage(bytes: Uint8Array, words: Int32Array): number | undefined {
  const count = 1 + (peek(bytes, 0) & mask(COUNT_BITS))
  if (count > PAGE_BITS) return undefined
  const { coded, low, inverse } = codeFor(count)
  words.fill(inverse)
  let at = COUNT_BITS
  let index = -1
  for (let n = 0; n < coded; n++) {
    const zeros = zerosAt(bytes, at)
    at += zeros + 1
    index += 1 + ((zeros << low) | (peek(bytes, at) & mask(low)))
    at += low
    if (index >= PAGE_BITS) return undefined
    const position = index >>> 5
    words[position] = (words[position] ?? 0) ^ (1 << (index & 31))
  }
  const length = Math.ceil(at / 8)
  const padding = peek(bytes, at) & mask(length * 8 - at)
  return length <= bytes.length && padding === 0 ? length : undefined
}

/** How a page of `count` integers is written. */
function codeFor(count: number): { readonly coded: number; readonly low: number; readonly inverse: 0 | -1 } {
  const isInverse = count > PAGE_BITS / 2
  const coded = isInverse ? PAGE_BITS - count : count
  let low = 0
  while (mostBits(coded, low + 1) < mostBits(coded, low)) low++
  return { coded, low, inverse: isInverse ? -1 : 0 }
}

/** The most that `coded` gaps can take when this many bits of each are written as they are; for no such bits, those of a page. */
function mostBits(coded: number, low: number): number {
  return coded * (1 + low) + ((PAGE_BITS - coded) >>> low)
}

function mask(bits: number): number {
  return (1 << bits) - 1
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word)
}

function bitsIn(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555)
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/** @param value of at most 17 bits; written over zeros */
function put(bytes: Uint8Array, at: number, value: number): void {
  const shifted = value << (at & 7)
  const first = at >>> 3
  for (let n = 0; n <= SPARE_BYTES; n++) bytes[first + n] = (bytes[first + n] ?? 0) | (shifted >>> (n * 8))
}

/** At least the next 25 bits; beyond the end there are zeros. */
function peek(bytes: Uint8Array, at: number): number {
  const first = at >>> 3
  const word =
    (bytes[first] ?? 0) |
    ((bytes[first + 1] ?? 0) << 8) |
    ((bytes[first + 2] ?? 0) << 16) |
    ((bytes[first + 3] ?? 0) << 24)
  return word >>> (at & 7)
}

/** How many zeros come before the next one; where none comes, more than any gap has. */
function zerosAt(bytes: Uint8Array, at: number): number {
  let zeros = 0
  while (zeros <= PAGE_BITS && peek(bytes, at + zeros) === 0) zeros += 25
  return zeros + Math.max(lowestBit(peek(bytes, at + zeros)), 0)
}
