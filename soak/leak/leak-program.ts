/** A process with one verifier in it, which verifies without pause and tells what memory it holds meanwhile. */
import { setImmediate as yieldToOthers } from 'node:timers/promises'
import { createVerifier, type Timers } from '@rescind/verifier'
import { createRandom } from '../random.ts'
import type { LeakOrder, LeakReport } from './leak-messages.ts'
import { type MemorySample, sampleMemory } from './memory-sample.ts'
import { TokenLines } from './token-lines.ts'

const IN_TURN = 200
const SAMPLES = 30
/** Tokens in use at a time; they are others by and by, so that remembering them all is no way out. */
const IN_USE = 50
/** Room for more is filled and cleared in turns that would show as ups and downs. */
const REMEMBERED = 200

/**
 * Uses of tokens are told to the service every 15 s, and kept until then, 100,000 at most. Told more often, they are few
 * whenever memory is looked at.
 */
const TIMERS: Timers = {
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs === 15_000 ? 200 : delayMs)
    return () => clearTimeout(timer)
  },
}

process.on('disconnect', () => process.exit())
process.once('message', (order: LeakOrder) => {
  void run(order)
})

async function run({ url, token, tokensFile, verifications, reconnections }: LeakOrder): Promise<void> {
  const tokens = new TokenLines(tokensFile)
  const verifier = await createVerifier({
    url,
    token,
    verifiedTokensLimit: REMEMBERED,
    environment: { timers: TIMERS },
  })
  const samples: MemorySample[] = []
  const random = createRandom(1)
  let verified = 0
  let connected = 0
  let leftMs = 0
  while (samples.length < SAMPLES) {
    for (let turn = 0; turn < IN_TURN; turn += 1) {
      const first = Math.floor((verified / verifications) * tokens.count)
      await verifier.verify(tokens.get((first + random.below(IN_USE)) % tokens.count))
      verified += 1
    }
    await yieldToOthers()
    const status = verifier.status()
    // Before it was granted a lease again, the connection would count as one that failed.
    if (status.connected && status.counters.connections > connected && status.leaseLeftMs > leftMs) {
      connected = status.counters.connections
      report({ type: 'connected' })
    }
    leftMs = status.leaseLeftMs
    const done = Math.min(verified / verifications, (connected - 1) / reconnections)
    if (done >= (samples.length + 1) / SAMPLES) samples.push(sampleMemory())
  }
  const { counters } = verifier.status()
  await verifier.close()
  report({ type: 'done', samples, counters })
  process.disconnect()
}

function report(told: LeakReport): void {
  process.send?.(told)
}
