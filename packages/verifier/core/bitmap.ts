/** Integers that a page stands for. */
export const PAGE_BITS = 32_768

export const LAST_PAGE = Math.floor(Number.MAX_SAFE_INTEGER / PAGE_BITS)

/** The part of a bitmap that starts at `number * PAGE_BITS`. The lowest bit of the first word is the first integer. */
export interface BitmapPage {
  /** From 0 to {@link LAST_PAGE}. */
  readonly number: number
  readonly words: Int32Array
}

/** A page with nothing in it. */
export function emptyPage(): Int32Array {
  return new Int32Array(PAGE_BITS / 32)
}

/**
 * A set of non-negative safe integers that only grows, at about one bit per integer below the largest: a page of 4 KiB
 * exists once one of its integers was added. `add` and `has` take constant time.
 */
export class Bitmap {
  readonly #pages = new Map<number, Int32Array>()

  /** @throws RangeError when `index` is not a non-negative safe integer. */
  add(index: number): void {
    if (!Number.isSafeInteger(index) || index < 0) throw new RangeError(`${index} cannot be in a bitmap`)
    const page = this.#pageToWrite(Math.floor(index / PAGE_BITS))
    const offset = index % PAGE_BITS
    const word = offset >>> 5
    page[word] = (page[word] ?? 0) | (1 << (offset & 31))
  }

  /** @param index a non-negative safe integer */
  has(index: number): boolean {
    const page = this.#pages.get(Math.floor(index / PAGE_BITS))
    if (page === undefined) return false
    const offset = index % PAGE_BITS
    return ((page[offset >>> 5] ?? 0) & (1 << (offset & 31))) !== 0
  }

  /** Adds all that is in the page, and keeps nothing of it. */
  addPage({ number, words }: BitmapPage): void {
    const page = this.#pageToWrite(number)
    for (let word = 0; word < page.length; word++) page[word] = (page[word] ?? 0) | (words[word] ?? 0)
  }

  /** The pages that have something in them, by number. They are the bitmap's own: to be read only. */
  pages(): readonly BitmapPage[] {
    const pages = [...this.#pages].map(([number, words]) => ({ number, words }))
    return pages.sort((one, other) => one.number - other.number)
  }

  #pageToWrite(number: number): Int32Array {
    let page = this.#pages.get(number)
    if (page === undefined) {
      page = emptyPage()
      this.#pages.set(number, page)
    }
    return page
  }
}
