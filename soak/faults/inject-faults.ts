import { setTimeout as pause } from 'node:timers/promises'
import type { RunRecorder } from '../history/run-recorder.ts'
import { FAULT_KINDS } from './fault-kinds.ts'
import type { PlannedFault } from './plan-faults.ts'
import { strike, type Targets } from './strike.ts'

/** Has faults strike as planned until it is told to stop. Resolves when all that struck are over. */
export async function injectFaults(
  stop: AbortSignal,
  plan: Iterable<PlannedFault>,
  targets: Targets,
  recorder: RunRecorder,
): Promise<void> {
  let startedMs = performance.now()
  /** What took hold of something last: whatever comes next waits for it, and all the rest of the plan with that. */
  const last = new Map<string, Promise<void>>()
  for (const fault of plan) {
    const leftMs = Math.max(0, startedMs + fault.atMs - performance.now())
    await pause(leftMs, undefined, { signal: stop }).catch(() => {})
    if (stop.aborted) break
    const takes = FAULT_KINDS[fault.kind]
    const key = `${takes} ${fault.target}`
    const verifier = takes === 'verifier' || takes === 'link' ? fault.target : null
    const readyMs = performance.now()
    await last.get(key)
    startedMs += performance.now() - readyMs
    if (stop.aborted) break
    const struck = recorder.during({ kind: fault.kind, verifier }, () => strike(fault, targets))
    const rested = struck.then(() => pause(fault.restMs, undefined, { signal: stop }).catch(() => {}))
    // Told in the end.
    rested.catch(() => {})
    last.set(key, rested)
  }
  await Promise.all(last.values())
}
