const PAGE_BITS = 32_768

/**
 * A set of non-negative safe integers that only grows, at about one bit per integer below the largest: a page of 4 KiB
 * exists once one of its integers was added. `add` and `has` take constant time.
 */
export class Bitmap {
  readonly #pages = new Map<number, Int32Array>()

  /** @throws RangeError when `index` is not a non-negative safe integer. */
  add(index: number): void {
    if (!Number.isSafeInteger(index) || index < 0) throw new RangeError(`${index} cannot be in a bitmap`)
    const number = Math.floor(index / PAGE_BITS)
    let page = this.#pages.get(number)
    if (page === undefined) {
      page = new Int32Array(PAGE_BITS / 32)
      this.#pages.set(number, page)
    }
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
}
