/**
 * A process that verifies tokens as an application does, without end, and appends every verification to a file. It ends
 * with the process that started it.
 */
import { flushCompileCache } from 'node:module'
import { setTimeout as pause } from 'node:timers/promises'
import { createVerifier, type Verifier, VerifierError } from '@rescind/verifier'
import { VerificationWriter } from '../history/verification-file.ts'
import { createRandom } from '../random.ts'
import { RunClock } from '../run-clock.ts'
import { KnownTokens } from './known-tokens.ts'
import { Verifications } from './verifications.ts'
import type { Decides, VerifierOrder, VerifierReport, VerifierStart } from './verifier-messages.ts'

/** Verifications at a time: while some wait for the service, others go on. */
const AT_A_TIME = 4
/** Between some verifications and the next; longer where each is work for the service. */
const PAUSE_MS = 2
const ONLINE_PAUSE_MS = 20
/** What is recorded in this time is lost when the process is killed. */
const FLUSH_MS = 5
const REPORT_MS = 100
const START_TIMEOUT_MS = 3_000
const ASK_TIMEOUT_MS = 500

const tokens = new KnownTokens(createRandom(process.pid))
let running: Promise<Running> | undefined

process.on('disconnect', () => process.exit())
process.on('message', (order: VerifierOrder) => {
  void obey(order)
})

interface Running {
  sweep(): Promise<void>
  finish(): Promise<void>
}

async function obey(order: VerifierOrder): Promise<void> {
  switch (order.type) {
    case 'start':
      running = start(order)
      break
    case 'tokens':
      tokens.add(order.tokens)
      break
    case 'watch':
      tokens.watch(order.tokens)
      break
    case 'sweep':
      await (await running)?.sweep()
      report({ type: 'swept' })
      break
    case 'finish':
      await (await running)?.finish()
      process.disconnect()
  }
}

async function start({ url, token, decides, file, originNs }: VerifierStart): Promise<Running> {
  const clock = new RunClock(BigInt(originNs))
  const writer = new VerificationWriter(file)
  const verifier = await attach(url, token, decides)
  const pauseMs = decides === 'online' ? ONLINE_PAUSE_MS : PAUSE_MS
  const verifications = new Verifications({ verifier, tokens, writer, clock, pauseMs })
  const stop = new AbortController()
  flushCompileCache()
  const ended = Array.from({ length: AT_A_TIME }, () => verifications.goOn(stop.signal))
  const flushing = setInterval(() => writer.flush(), FLUSH_MS)
  const tell = () =>
    report({ type: 'progress', verifications: verifications.count, counters: verifier.status().counters })
  const reporting = setInterval(tell, REPORT_MS)
  return {
    sweep: () => verifications.sweep(),
    finish: async () => {
      stop.abort()
      await Promise.all(ended)
      clearInterval(flushing)
      clearInterval(reporting)
      writer.close()
      await verifier.close()
      tell()
    },
  }
}

/** Tries until it may decide. */
async function attach(url: string, token: string, decides: Decides): Promise<Verifier> {
  const mode = decides === 'online' ? ('online' as const) : ('attached' as const)
  const onLapse = decides === 'or rejects' ? ('reject' as const) : ('ask' as const)
  for (;;) {
    try {
      const options = { url, token, mode, onLapse, startTimeoutMs: START_TIMEOUT_MS, askTimeoutMs: ASK_TIMEOUT_MS }
      return await createVerifier(options)
    } catch (error) {
      if (!(error instanceof VerifierError)) throw error
      await pause(FLUSH_MS)
    }
  }
}

function report(told: VerifierReport): void {
  process.send?.(told)
}
