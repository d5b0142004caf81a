/** How long verifications took, in microseconds, since they were last taken. */
export class Timings {
  #tookUs: number[] = []

  add(tookUs: number): void {
    this.#tookUs.push(tookUs)
  }

  take(): { readonly count: number; readonly medianUs: number | null; readonly p99Us: number | null } {
    const sorted = Float64Array.from(this.#tookUs).sort()
    this.#tookUs = []
    const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? null
    return { count: sorted.length, medianUs: at(0.5), p99Us: at(0.99) }
  }
}
