import { setTimeout as pause } from 'node:timers/promises'
import type { TcpProxy } from '../network/tcp-proxy.ts'
import type { ServiceProcess } from '../processes/service-process.ts'
import type { VerifierSlot } from '../processes/verifier-slot.ts'
import { FAULT_KINDS } from './fault-kinds.ts'
import type { PlannedFault } from './plan-faults.ts'

/** What faults strike. */
export interface Targets {
  readonly verifiers: readonly VerifierSlot[]
  readonly services: readonly ServiceProcess[]
}

/** Makes a fault happen. Resolves when it is over. */
export async function strike(fault: PlannedFault, { verifiers, services }: Targets): Promise<void> {
  const { kind, target, lastsMs } = fault
  const service = services[target]
  const verifier = verifiers[target]
  if (FAULT_KINDS[kind] === 'service') {
    await service?.kill()
    await pause(lastsMs)
    await service?.startAgain()
  } else if (verifier === undefined) {
    throw new RangeError(`There is no verifier ${target}`)
  } else if (kind === 'verifier_killed') {
    await verifier.replace()
  } else if (kind === 'verifier_stopped') {
    verifier.process.signal('SIGSTOP')
    await pause(lastsMs)
    verifier.process.signal('SIGCONT')
  } else if (kind === 'cut_midway') {
    // Nothing may pass any more on what another fault silenced before.
    await Promise.race([verifier.proxy.cutMidway(), pause(lastsMs, undefined, { ref: false })])
  } else {
    impair(fault, verifier.proxy)
    await pause(lastsMs)
    verifier.proxy.heal()
  }
}

function impair({ kind, delayMs, isKept }: PlannedFault, proxy: TcpProxy): void {
  const passage = isKept ? 'hold' : 'lose'
  if (kind === 'delayed') proxy.delay(delayMs)
  else if (kind === 'refused') proxy.refuse()
  else if (kind === 'half_open') proxy.silence('both', 'lose')
  else if (kind === 'stalled') proxy.silence('both', 'hold')
  else if (kind === 'mute_up') proxy.silence('up', passage)
  else if (kind === 'mute_down') proxy.silence('down', passage)
}
