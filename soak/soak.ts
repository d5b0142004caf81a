import { setTimeout as pause } from 'node:timers/promises'
import { checkHistory, type Findings } from './check/check-history.ts'
import { faultCounts } from './check/fault-counts.ts'
import { shortcomings } from './check/shortcomings.ts'
import type { DatabaseKind } from './database/database.ts'
import { CRASHES, type FaultKind } from './faults/fault-kinds.ts'
import { injectFaults } from './faults/inject-faults.ts'
import { planFaults } from './faults/plan-faults.ts'
import { roundOfFaults } from './faults/round-of-faults.ts'
import { RunRecorder } from './history/run-recorder.ts'
import { startWorkload } from './load/workload.ts'
import { Stage } from './processes/stage.ts'
import { createRandom } from './random.ts'
import { RunClock } from './run-clock.ts'

export interface SoakOptions extends Goals {
  /** Of what is done and when; what comes of it depends on the machine, too. */
  readonly seed: number
  /** Gives up reaching the goals after this time. */
  readonly atMostMs: number
  /** In one service, or shared by several. */
  readonly database: DatabaseKind
  /** What strikes in each round of faults, if it is not to be all that can. */
  readonly round?: readonly FaultKind[]
  /** That follow a service, if it is not to be the usual number. */
  readonly verifiers?: number
  /** Told now and then how far the run is. */
  readonly onProgress?: (reached: Goals & { readonly tookMs: number }) => void
  /** Empty, for data, logs and histories. */
  readonly folder: string
}

/** A run goes on until it has reached these. */
interface Goals {
  readonly verifications: number
  /** That were answered. */
  readonly revocations: number
  /** Of each kind of fault. */
  readonly strikes: number
}

type Play = SoakOptions & Required<Pick<SoakOptions, 'round'>>

export interface SoakOutcome {
  readonly findings: Findings
  /** Why the findings mean little; empty when they mean something. */
  readonly shortcomings: readonly string[]
  readonly tookMs: number
  /** Of all verifiers together, as far as they told. */
  readonly lapses: number
  readonly connections: number
  /** Questions put to the service. */
  readonly asked: number
  /** Of services and their database, by SIGKILL. */
  readonly crashes: number
}

/** That follow a service, where there is one and where there are several. */
const VERIFIERS = { sqlite: 8, postgres: 6 }
const LEASE_MS = 2_000
const LOOK_MS = 50
const PROGRESS_MS = 30_000
/** Once everything has healed, what takes longer than this does not happen at all. */
const PATIENCE_MS = 60_000

/**
 * Runs services and verifiers as processes, has faults strike them while tokens are ended without pause, lets everything
 * heal, has every verifier decide about every token once more, and judges what was recorded.
 */
export async function soak(options: SoakOptions): Promise<SoakOutcome> {
  const clock = new RunClock()
  const recorder = new RunRecorder(clock)
  const { folder, database, verifiers = VERIFIERS[database] } = options
  const stage = await Stage.open({ folder, clock, leaseMs: LEASE_MS, database, verifiers })
  const round = options.round ?? roundOfFaults(stage.counts)
  try {
    await playOn(stage, recorder, clock, { ...options, round })
    const sweepFromNs = clock.nowNs()
    await Promise.race([stage.sweep(), stage.failed, patience()])
    const history = { ...recorder, verifiers: await stage.finish(), sweepFromNs }
    const findings = checkHistory(history)
    const required = { ...options, faultKinds: [...new Set(round)], verifiers: stage.verifiers.length }
    return {
      findings,
      shortcomings: shortcomings(history, findings, required),
      tookMs: clock.nowNs() / 1e6,
      lapses: stage.sum(({ lapses }) => lapses),
      connections: stage.sum(({ connections }) => connections),
      asked: stage.sum(({ asked }) => asked),
      crashes: [...CRASHES].reduce((sum, kind) => sum + (findings.faults.get(kind)?.struck ?? 0), 0),
    }
  } finally {
    await stage.close()
  }
}

/** Has faults strike while tokens are ended, until that is enough, and everything heal. */
async function playOn(stage: Stage, recorder: RunRecorder, clock: RunClock, options: Play): Promise<void> {
  const { verifiers, api } = stage
  const randomFor = (purpose: string) => createRandom(`${options.seed}/${purpose}`)
  const work = await startWorkload({ api, recorder, clock, verifiers, randomFor })
  const enough = new AbortController()
  const tooLate = new AbortController()
  const plan = planFaults(randomFor('faults'), { round: options.round, counts: stage.counts, leaseMs: LEASE_MS })
  const faults = injectFaults(enough.signal, plan, stage, recorder)
  const playing = Promise.all([work(enough.signal, tooLate.signal), faults])
  // It ends before it is told to when something failed, only.
  const failed = Promise.race([stage.failed, playing])
  failed.catch(() => {})

  const giveUpMs = performance.now() + options.atMostMs
  const telling = setInterval(() => {
    options.onProgress?.({ ...reachedBy(stage, recorder, options), tookMs: clock.nowNs() / 1e6 })
  }, PROGRESS_MS)
  try {
    while (!isEnough(stage, recorder, options) && performance.now() < giveUpMs) {
      await Promise.race([pause(LOOK_MS), failed])
    }
  } finally {
    clearInterval(telling)
  }
  enough.abort()
  await Promise.race([playing, stage.failed, patience()])
  tooLate.abort()
  await Promise.race([playing, stage.failed])
}

function isEnough(stage: Stage, recorder: RunRecorder, goals: Play): boolean {
  const { verifications, revocations, strikes } = reachedBy(stage, recorder, goals)
  return verifications >= goals.verifications && revocations >= goals.revocations && strikes >= goals.strikes
}

/** What was reached so far; of the kinds of faults, by the rarest. */
function reachedBy(stage: Stage, recorder: RunRecorder, { round }: Play): Goals {
  const counts = faultCounts(recorder)
  const strikes = round.map((kind) => {
    const { struck = 0, revocations = 0 } = counts.get(kind) ?? {}
    return revocations > 0 ? struck : 0
  })
  return {
    verifications: stage.sum(({ valid, rejected, undecided }) => valid + rejected + undecided),
    revocations: recorder.answered,
    strikes: Math.min(...strikes),
  }
}

function patience(): Promise<void> {
  return pause(PATIENCE_MS, undefined, { ref: false })
}
