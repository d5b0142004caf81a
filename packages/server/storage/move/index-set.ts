/** Indexes of a page. */
const PAGE = 2 ** 16

/** A set of whole numbers from 0 on, a bit for each of those near others that are in it. */
export class IndexSet {
  readonly #pages = new Map<number, Uint8Array>()
  #size = 0

  get size(): number {
    return this.#size
  }

  add(index: number): void {
    const page = this.#pages.get(Math.floor(index / PAGE)) ?? this.#addPage(Math.floor(index / PAGE))
    const [byte, bit] = placeOf(index)
    if ((at(page, byte) & bit) !== 0) return
    page[byte] = at(page, byte) | bit
    this.#size += 1
  }

  delete(index: number): void {
    const page = this.#pages.get(Math.floor(index / PAGE))
    const [byte, bit] = placeOf(index)
    if (page === undefined || (at(page, byte) & bit) === 0) return
    page[byte] = at(page, byte) & ~bit
    this.#size -= 1
  }

  #addPage(number: number): Uint8Array {
    const page = new Uint8Array(PAGE / 8)
    this.#pages.set(number, page)
    return page
  }
}

function placeOf(index: number): readonly [byte: number, bit: number] {
  return [(index % PAGE) >> 3, 1 << (index & 7)]
}

function at(page: Uint8Array, byte: number): number {
  return page[byte] ?? 0
}
