import fc from 'fast-check'
import { type BitmapPage, PAGE_BITS } from '../core/bitmap.ts'

/** Indexes where a bitmap could go wrong: at both ends of words and pages, of 32-bit integers and of safe integers. */
export const index = fc.oneof(
  fc.nat({ max: 100 }),
  fc.tuple(fc.nat({ max: 4 }), fc.integer({ min: -40, max: 40 })).map(([page, n]) => Math.max(page * PAGE_BITS + n, 0)),
  fc.integer({ min: 2 ** 31 - 40, max: 2 ** 31 - 1 }).map((n) => n + 20),
  fc.maxSafeNat(),
  fc.nat({ max: 70 }).map((n) => Number.MAX_SAFE_INTEGER - n),
)

/** The integers in a page, in order. */
export function indexesOf({ number, words }: BitmapPage): number[] {
  const indexes: number[] = []
  for (const [position, word] of words.entries()) {
    if (word === 0) continue
    for (let bit = 0; bit < 32; bit++) {
      if (((word >>> bit) & 1) === 1) indexes.push(number * PAGE_BITS + position * 32 + bit)
    }
  }
  return indexes
}
