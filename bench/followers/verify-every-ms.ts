import type { Verifier } from '../../packages/verifier/index.ts'

/** In milliseconds, one of each for every verification. */
export interface Verifications {
  readonly tookMs: readonly number[]
  /** How much later than it was due each began. */
  readonly lateMs: readonly number[]
}

/**
 * Verifies `token` every millisecond, as if requests arrived at that rate.
 *
 * @returns ends it
 * @throws Error, where nobody catches it, when a verdict is not `valid`
 */
export function verifyEveryMs(verifier: Verifier, token: string): () => Verifications {
  const tookMs: number[] = []
  const lateMs: number[] = []
  let timer: NodeJS.Timeout
  const next = (nowMs: number) => {
    const dueMs = nowMs + 1
    timer = setTimeout(async () => {
      const beganMs = performance.now()
      const { status } = await verifier.verify(token)
      const endedMs = performance.now()
      if (status !== 'valid') throw new Error(`The verdict on a valid token was ${status}`)
      tookMs.push(endedMs - beganMs)
      lateMs.push(Math.max(0, beganMs - dueMs))
      next(endedMs)
    }, 1)
  }
  next(performance.now())
  return () => {
    clearTimeout(timer)
    return { tookMs, lateMs }
  }
}
