/** A seeded source of numbers: the same seed gives the same numbers again. */
export interface Random {
  /** At least `least`, less than `most`. */
  between(least: number, most: number): number
  /** A whole number from 0 to `n` - 1. */
  below(n: number): number
  /** True with this probability. */
  chance(probability: number): boolean
  /** One of `choices`, which must not be empty. */
  pick<T>(choices: readonly T[]): T
  shuffled<T>(list: readonly T[]): T[]
}

/** @param seed any text or number (FNV-1a, then mulberry32) */
export function createRandom(seed: string | number): Random {
  let state = 0x811c9dc5
  for (const letter of Buffer.from(`${seed}`)) state = Math.imul(state ^ letter, 0x01000193) >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (n: number) => Math.floor(next() * n)
  return {
    between: (least, most) => least + next() * (most - least),
    below,
    chance: (probability) => next() < probability,
    pick: (choices) => {
      const choice = choices[below(choices.length)]
      if (choice === undefined) throw new RangeError('There is nothing to pick from')
      return choice
    },
    shuffled: (list) => {
      const left = [...list]
      return list.flatMap(() => left.splice(below(left.length), 1))
    },
  }
}
