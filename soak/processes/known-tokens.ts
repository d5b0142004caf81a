import type { Random } from '../random.ts'

const WATCHED_CHANCE = 0.5
const RECENT_CHANCE = 0.6
/** Most of those that live are among the last that were issued. */
const RECENT = 200

/** The tokens that a verifier is asked about, by number. */
export class KnownTokens {
  readonly #random: Random
  readonly #tokens = new Map<number, string>()
  #numbers: number[] = []
  #watched: readonly number[] = []

  constructor(random: Random) {
    this.#random = random
  }

  add(tokens: Iterable<readonly [number: number, token: string]>): void {
    for (const [number, token] of tokens) {
      this.#tokens.set(number, token)
      this.#numbers.push(number)
    }
  }

  /** Those to be drawn more often than others. */
  watch(numbers: readonly number[]): void {
    this.#watched = numbers
  }

  get(number: number): string {
    const token = this.#tokens.get(number)
    if (token === undefined) throw new RangeError(`No token ${number} is known`)
    return token
  }

  numbers(): readonly number[] {
    return [...this.#numbers]
  }

  /** The number of one of them; `undefined` when there is none. */
  draw(): number | undefined {
    const { length } = this.#numbers
    if (length === 0) return undefined
    if (this.#watched.length > 0 && this.#random.chance(WATCHED_CHANCE)) return this.#random.pick(this.#watched)
    const among = this.#random.chance(RECENT_CHANCE) ? Math.min(RECENT, length) : length
    return this.#numbers[length - 1 - this.#random.below(among)]
  }
}
