import type { Entry } from '@rescind/protocol'
import type { Database } from './database/database.ts'
import { FAULTLESS_DATABASE } from './database/database-faults.ts'
import type { Network } from './network.ts'
import { FAULTLESS } from './network-faults.ts'
import type { SimulatedProcess } from './process.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

/** What happens to processes and clocks; what happens to messages and statements counts under its own names. */
export const PROCESS_FAULTS = [
  'verifier_stopped',
  'verifier_machine_suspended',
  'verifier_crashed',
  'verifier_closed',
  'node_stopped',
  'node_machine_suspended',
  'node_crashed',
  'node_left',
  'database_crashed',
  'node_cut_off_database',
  'verifier_partitioned',
  'acknowledgements_lost',
  'connections_half_opened',
  'connections_silenced',
  'wall_clock_stepped',
  'clock_rates_changed',
  'link_cut',
  'standby_lost',
  'primary_failed_over',
  'log_replaced_by_an_older_one',
] as const

export type ProcessFault = (typeof PROCESS_FAULTS)[number]

/** How many leases a fault lasts at most. */
export const LONGEST_FAULT_LEASES = 3

/** What the faults strike. */
export interface Targets {
  readonly scheduler: Scheduler
  readonly random: Random
  readonly network: Network
  readonly database: Database
  readonly leaseMs: number
  /** Whoever calls the API. */
  readonly client: SimulatedProcess
  nodes(): readonly SimulatedProcess[]
  verifiers(): readonly SimulatedProcess[]
  /** Its machine may be suspended. The wall clock of such a one is never set back: the two together are as all clocks standing still. */
  isSuspendable(process: SimulatedProcess): boolean
  /** Nothing that this verifier acknowledges arrives until then; everything else does. */
  mute(verifier: SimulatedProcess, untilMs: number): void
  /** Another process takes the place of one that ended. */
  crash(process: SimulatedProcess): void
  /** The same, in order. */
  leave(process: SimulatedProcess): void
  /** The log has been replaced before: once is enough for a run. */
  hasForgotten(): boolean
  /** The log goes up to `seq` only, and another history begins there. */
  forgotten(seq: number): void
  /** What has to be done before a node starts on such a log; takes no time. */
  openEpoch(): void
  struck(fault: ProcessFault): void
}

type Strike = (targets: Targets) => boolean

/** Lets one of them strike now. */
export function strike(targets: Targets, fault: ProcessFault): void {
  if (STRIKES[fault](targets)) targets.struck(fault)
}

/** Rare ones are rare because they take everything else with them. */
const WEIGHTS: Readonly<Record<ProcessFault, number>> = {
  verifier_stopped: 6,
  verifier_machine_suspended: 6,
  verifier_crashed: 3,
  verifier_closed: 3,
  node_stopped: 3,
  node_machine_suspended: 3,
  node_crashed: 4,
  node_left: 2,
  database_crashed: 2,
  node_cut_off_database: 4,
  verifier_partitioned: 8,
  acknowledgements_lost: 5,
  connections_half_opened: 6,
  connections_silenced: 5,
  wall_clock_stepped: 6,
  clock_rates_changed: 5,
  link_cut: 5,
  standby_lost: 3,
  primary_failed_over: 7,
  log_replaced_by_an_older_one: 5,
}

const TOTAL_WEIGHT = Object.values(WEIGHTS).reduce((sum, weight) => sum + weight, 0)

export function pickFault(random: Random): ProcessFault {
  let left = random.next() * TOTAL_WEIGHT
  for (const fault of PROCESS_FAULTS) {
    left -= WEIGHTS[fault]
    if (left < 0) return fault
  }
  return 'verifier_partitioned'
}

const STRIKES: Readonly<Record<ProcessFault, Strike>> = {
  verifier_stopped: (targets) => suspend(targets, targets.verifiers(), 'process'),
  verifier_machine_suspended: (targets) =>
    suspend(targets, targets.verifiers().filter(targets.isSuspendable), 'machine'),
  verifier_crashed: (targets) => each(targets, targets.verifiers(), targets.crash),
  verifier_closed: (targets) => each(targets, targets.verifiers(), targets.leave),
  node_stopped: (targets) => suspend(targets, targets.nodes(), 'process'),
  node_machine_suspended: (targets) => suspend(targets, targets.nodes().filter(targets.isSuspendable), 'machine'),
  node_crashed: (targets) => each(targets, targets.nodes(), targets.crash),
  node_left: (targets) => each(targets, targets.nodes(), targets.leave),
  database_crashed: (targets) => {
    const { database, random, leaseMs } = targets
    const downMs = random.between(50, leaseMs)
    return nowOrAtCommit(targets, 0.2, 'database_crashed', () => {
      database.crash(downMs)
      return true
    })
  },
  node_cut_off_database: (targets) =>
    each(targets, targets.nodes(), (node) => {
      const { database, random, scheduler } = targets
      database.partition(node, random.pick(['both', 'requests', 'replies']))
      scheduler.after(duration(targets), () => database.heal(node))
    }),
  verifier_partitioned: (targets) =>
    each(targets, targets.verifiers(), (verifier) => {
      const { network, random, scheduler } = targets
      const forMs = duration(targets)
      for (const node of targets.nodes()) {
        const [from, to] = random.chance(0.5) ? [verifier.id, node.id] : [node.id, verifier.id]
        network.partition(from, to, random.chance(0.7) ? 'both' : 'one')
        scheduler.after(forMs, () => network.heal(from, to))
      }
    }),
  link_cut: (targets) => {
    const { network, random, scheduler } = targets
    const [nodes, others] = [targets.nodes(), [...targets.verifiers(), targets.client]]
    if (nodes.length === 0) return false
    const [node, other] = [random.pick(nodes), random.pick(others)]
    const [from, to] = random.chance(0.5) ? [node.id, other.id] : [other.id, node.id]
    network.partition(from, to, random.chance(0.7) ? 'both' : 'one')
    scheduler.after(duration(targets), () => network.heal(from, to))
    return true
  },
  standby_lost: (targets) => targets.database.loseStandby(duration(targets)),
  primary_failed_over: (targets) => {
    const { database, random, leaseMs } = targets
    const [downMs, formerMs] = [random.between(20, leaseMs), duration(targets)]
    return nowOrAtCommit(targets, 0.5, 'primary_failed_over', () => database.failOver(downMs, formerMs))
  },
  acknowledgements_lost: (targets) =>
    each(targets, targets.verifiers(), (verifier) =>
      targets.mute(verifier, targets.scheduler.nowMs + duration(targets)),
    ),
  connections_half_opened: ({ network, random }) => {
    const connections = [...network.connections]
    if (connections.length === 0) return false
    random.pick(connections).halfOpen(random.pick(['caller', 'acceptor']))
    return true
  },
  connections_silenced: ({ network, random }) => {
    const connections = [...network.connections]
    if (connections.length === 0) return false
    random.pick(connections).silence()
    return true
  },
  wall_clock_stepped: (targets) =>
    each(targets, [...targets.nodes(), ...targets.verifiers()], (process) => {
      const { random, leaseMs } = targets
      const back = !targets.isSuspendable(process) && random.chance(0.6)
      process.clock.stepWall(random.between(0.1, 3) * leaseMs * (back ? -1 : 1))
    }),
  clock_rates_changed: (targets) =>
    each(targets, [...targets.nodes(), ...targets.verifiers()], (process) => process.clock.drift()),
  log_replaced_by_an_older_one: (targets) => {
    const { database, random } = targets
    const { entries } = database.tables
    const lost = 1 + random.integer(3)
    const isKey = ({ body }: Entry) => body.kind === 'key_added' || body.kind === 'key_retired'
    // Without a key that has signed, every token of it would be a stranger's.
    if (targets.hasForgotten() || entries.length <= lost + 3 || entries.slice(-lost).some(isKey)) return false
    const seq = entries.length - lost
    if (!database.replaceByOlder(seq)) return false
    for (const node of targets.nodes()) targets.crash(node)
    targets.forgotten(seq)
    targets.openEpoch()
    return true
  },
}

/** What a commit is lost with strikes when one has arrived, most of the time. */
function nowOrAtCommit(
  { database, random, struck }: Targets,
  nowChance: number,
  fault: ProcessFault,
  act: () => boolean,
): boolean {
  if (random.chance(nowChance)) return act()
  database.atNextCommit(() => {
    if (act()) struck(fault)
  })
  return false
}

function each(
  targets: Targets,
  processes: readonly SimulatedProcess[],
  act: (process: SimulatedProcess) => void,
): boolean {
  if (processes.length === 0) return false
  act(targets.random.pick(processes))
  return true
}

function suspend(targets: Targets, processes: readonly SimulatedProcess[], kind: 'process' | 'machine'): boolean {
  return each(targets, processes, (process) => {
    const fromMs = targets.scheduler.nowMs
    process.suspend(fromMs, fromMs + duration(targets), kind)
  })
}

/** From a moment to three leases. */
function duration({ random, leaseMs }: Targets): number {
  return leaseMs * (random.chance(0.5) ? random.between(0.02, 0.6) : random.between(0.6, LONGEST_FAULT_LEASES))
}

/** How messages and statements fare while nothing is well. */
export function lossy(random: Random): {
  readonly link: typeof FAULTLESS
  readonly database: typeof FAULTLESS_DATABASE
} {
  const rate = random.pick([0.002, 0.01, 0.03])
  return {
    link: {
      ...FAULTLESS,
      delayChance: rate * 3,
      dropChance: rate,
      duplicateChance: rate,
      reorderChance: rate,
      halfOpenChance: rate / 4,
      silenceChance: rate / 4,
      closeDelayChance: 0.2,
      closeLossChance: 0.2,
      refuseChance: rate * 3,
    },
    database: {
      ...FAULTLESS_DATABASE,
      notificationLossChance: 0.05,
      link: { ...FAULTLESS_DATABASE.link, delayChance: rate, requestLossChance: rate / 4, replyLossChance: rate / 2 },
    },
  }
}
