import { constants } from 'node:os'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Why the demo has to end although nobody has asked it to with a key. */
export class Interruption extends Error {
  /** As shells have it. */
  readonly exitCode: number

  constructor(signal: (typeof SIGNALS)[number]) {
    super(`Interrupted by ${signal}`)
    this.exitCode = 128 + constants.signals[signal]
  }
}

/** Rejects with an {@link Interruption} when this process is told to end, or its terminal is gone. */
export function interrupted(): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  for (const signal of SIGNALS) process.on(signal, () => reject(new Interruption(signal)))
  const onGone = () => reject(new Interruption('SIGHUP'))
  process.stdout.on('error', onGone)
  process.stderr.on('error', () => {})
  if (process.stdin.isTTY) process.stdin.on('error', onGone).on('end', onGone)
  promise.catch(() => {})
  return promise
}
