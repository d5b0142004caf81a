import type { SimulatedProcess } from './process.ts'

/** Asks code of a process without letting it stand still. */
export function withoutStalls<T>(process: SimulatedProcess, ask: () => T): T {
  const { stalls } = process
  process.stalls = { chance: 0, ms: [0, 0] }
  try {
    return ask()
  } finally {
    process.stalls = stalls
  }
}
