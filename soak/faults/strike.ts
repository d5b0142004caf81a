import { setTimeout as pause } from 'node:timers/promises'
import type { PostgresCluster } from '../database/postgres-cluster.ts'
import type { TcpProxy } from '../network/tcp-proxy.ts'
import type { ServiceProcess } from '../processes/service-process.ts'
import type { VerifierSlot } from '../processes/verifier-slot.ts'
import { FAULT_KINDS } from './fault-kinds.ts'
import type { PlannedFault } from './plan-faults.ts'

/** What faults strike, each by number. */
export interface Targets {
  readonly verifiers: readonly VerifierSlot[]
  readonly services: readonly ServiceProcess[]
  readonly databases: readonly PostgresCluster[]
  readonly databaseLinks: readonly TcpProxy[]
}

/** Makes a fault happen. Resolves when it is over. */
export async function strike(fault: PlannedFault, targets: Targets): Promise<void> {
  switch (FAULT_KINDS[fault.kind]) {
    case 'verifier':
      return strikeVerifier(fault, targeted(targets.verifiers, fault))
    case 'service':
      return strikeService(fault, targeted(targets.services, fault))
    case 'database':
      return strikeDatabase(fault, targeted(targets.databases, fault))
    case 'link':
      return strikeLink(fault, targeted(targets.verifiers, fault).proxy)
    case 'database link':
      return strikeLink(fault, targeted(targets.databaseLinks, fault))
  }
}

async function strikeVerifier({ kind, lastsMs }: PlannedFault, verifier: VerifierSlot): Promise<void> {
  if (kind === 'verifier_killed') return verifier.replace()
  verifier.process.signal('SIGSTOP')
  await pause(lastsMs)
  verifier.process.signal('SIGCONT')
}

async function strikeService({ kind, lastsMs }: PlannedFault, service: ServiceProcess): Promise<void> {
  if (kind === 'service_killed') {
    await service.kill()
    await pause(lastsMs)
    await service.startAgain()
  } else {
    service.signal('SIGSTOP')
    await pause(lastsMs)
    service.signal('SIGCONT')
  }
}

async function strikeDatabase({ kind, lastsMs, share }: PlannedFault, database: PostgresCluster): Promise<void> {
  if (kind === 'backend_killed') await database.loseBackend(share)
  else if (kind === 'database_killed') await database.crash(lastsMs)
  else if (kind === 'database_stopped') await database.pausePrimary(lastsMs)
  else if (kind === 'standby_stopped') await database.pauseStandby(lastsMs)
  else if (kind === 'failover') await database.failOver(lastsMs)
}

async function strikeLink(fault: PlannedFault, proxy: TcpProxy): Promise<void> {
  const { lastsMs } = fault
  if (impairmentOf(fault) === 'cut_midway') {
    // Nothing may pass any more on what another fault silenced before.
    await Promise.race([proxy.cutMidway(), pause(lastsMs, undefined, { ref: false })])
  } else {
    impair(fault, proxy)
    await pause(lastsMs)
    proxy.heal()
  }
}

function impair(fault: PlannedFault, proxy: TcpProxy): void {
  const { delayMs, isKept } = fault
  const passage = isKept ? 'hold' : 'lose'
  const impairment = impairmentOf(fault)
  if (impairment === 'delayed') proxy.delay(delayMs)
  else if (impairment === 'refused') proxy.refuse()
  else if (impairment === 'half_open') proxy.silence('both', 'lose')
  else if (impairment === 'stalled') proxy.silence('both', 'hold')
  else if (impairment === 'mute_up') proxy.silence('up', passage)
  else if (impairment === 'mute_down') proxy.silence('down', passage)
}

/** What fails, on whichever link. */
function impairmentOf({ kind }: PlannedFault): string {
  return kind.replace(/^database_/, '')
}

function targeted<T>(list: readonly T[], { kind, target }: PlannedFault): T {
  const found = list[target]
  if (found === undefined) throw new RangeError(`There is no ${FAULT_KINDS[kind]} ${target}`)
  return found
}
