import type { FollowerEvent } from '../../packages/verifier/core/follower.ts'
import { deliverToHolder, goOn, hear, isDue, newHolder } from './holder.ts'
import { isServing } from './node.ts'
import { accept, advance, canAdvance, deliverToNode } from './session.ts'
import type { Connection, Left, NodeProcess, Side } from './world.ts'

/** One thing that can happen at a side. */
export interface SideStep {
  readonly what: string
  readonly side: Side
  /** Where the snapshot of the node stands after that. */
  readonly snapshotSeq: number | null
  /** Of what may still happen. */
  readonly spends: Spends
  /** Happens before the unit is over. */
  readonly isDuty: boolean
}

type Spends = readonly (keyof Left)[]

/** A side and the node, as far as it concerns the side. */
export interface Here {
  readonly side: Side
  readonly node: NodeProcess | null
}

/**
 * Everything that can happen next at a side. A link carries everything at once but the welcome, after which a holder
 * renews, and what it is to apply: whatever anybody else does meanwhile could as well be done before or after. Unless the
 * link is cut, or the holder paused, between two messages.
 */
export function sideSteps(here: Here, left: Left): readonly SideStep[] {
  const { connections, isCut } = here.side
  const isCarried = isCut || connections.every(({ toNode }) => toNode.length === 0)
  if (!isCarried) throw new Error('A link has not carried everything')
  const steps = new SideSteps(left)
  duties(here, steps)
  chances(here, left, steps)
  faults(here, left, steps)
  return steps.all
}

class SideSteps {
  readonly all: SideStep[] = []
  readonly #left: Left

  constructor(left: Left) {
    this.#left = left
  }

  add(what: string, { side, node }: Here, spends: Spends, isDuty = false): void {
    this.all.push({ what, side, snapshotSeq: node?.snapshotSeq ?? null, spends, isDuty })
  }

  /** Whatever is sent by that is heard, and answered. */
  carry(what: string, sent: Here, spends: Spends, isDuty = false): void {
    let now = sent
    for (let next = carryOne(now); next !== undefined; next = carryOne(now)) {
      if (this.#isLeft('partitions', spends)) {
        this.add(`${what}; LINK IS CUT, with messages on their way`, withCut(now, true), [...spends, 'partitions'])
      }
      if (this.#isLeft('pauses', spends) && !now.side.isPaused) {
        this.add(`${what}; PAUSES, with messages on their way`, carried(withPause(now, true)), [...spends, 'pauses'])
      }
      now = next
    }
    this.add(what, now, spends, isDuty)
  }

  #isLeft(what: keyof Left, spends: Spends): boolean {
    return this.#left[what] > spends.filter((each) => each === what).length
  }
}

function duties({ side, node }: Here, steps: SideSteps): void {
  const { holder, connections, isCut, isPaused } = side
  const { phase, asked } = holder.state
  const isBusy = holder.todo.length > 0
  if (isBusy && !isPaused) steps.carry('does what is left to do', { node, side: goOn(side) }, [], true)
  if (!isBusy && !isPaused && isDue(holder)) {
    const what = phase === 'following' && asked === null ? 'renews' : 'gives up'
    steps.carry(what, { node, side: hear(side, { type: 'due' }) }, [], true)
  }
  for (const [at, { toHolder, session }] of connections.entries()) {
    if (toHolder[0] !== undefined && !isBusy && !isPaused && !isCut) {
      steps.carry(`hears ${toHolder[0].type}`, { node, side: deliverToHolder(side, at) }, [], true)
    }
    if (node !== null && session !== null && canAdvance(node, session)) {
      steps.add('is sent the entry', { node, side: advance(side, at) }, [], true)
    }
  }
}

function chances(here: Here, left: Left, steps: SideSteps): void {
  const { side, node } = here
  const { holder, isCut, isPaused } = side
  if (isPaused) steps.add('GOES ON', withPause(here, false), [])
  if (isCut) steps.carry('LINK HEALS', withCut(here, false), [])
  if (isPaused || holder.todo.length > 0) return
  if (holder.state.phase === 'waiting' && !isCut && isServing(node)) {
    steps.carry('connects again', connect(here, { type: 'retry' }), [])
  }
  if (left.stops > 0 && holder.state.phase !== 'closed') {
    steps.carry('STOPS', { node, side: hear(side, { type: 'stop' }) }, ['stops'])
  }
}

function faults(here: Here, left: Left, steps: SideSteps): void {
  const { side, node } = here
  const isOver = side.holder.state.phase === 'closed'
  if (left.crashes > 0 && !isOver) steps.carry('CRASHES', restart(here), ['crashes'])
  if (left.pauses > 0 && !isOver) steps.add('PAUSES', withPause(here, true), ['pauses'])
  if (left.partitions > 0) steps.add('LINK IS CUT', withCut(here, true), ['partitions'])
  if (left.breaks > 0) steps.carry('CONNECTION BREAKS', { node, side: breakOff(side) }, ['breaks'])
}

/** A connection is made or refused. */
export function connect({ side, node }: Here, event: FollowerEvent): Here {
  const opening = hear(side, event)
  const { connection } = opening.holder.state
  if (!isServing(node) || opening.isCut) return { node, side: hear(opening, { type: 'disconnected', connection }) }
  const accepted = accept(node, opening, opening.connections.length - 1)
  return { node, side: hear(accepted, { type: 'connected', connection }) }
}

/** What is due at once at a holder that can reach nobody. */
export function settleAlone(side: Side): Side {
  const { holder, isCut, isPaused } = side
  const isAlone = isCut || holder.state.phase === 'waiting'
  return isAlone && !isPaused && holder.todo.length === 0 && isDue(holder)
    ? settleAlone(hear(side, { type: 'due' }))
    : side
}

/** What it knew is gone. What it has sent still comes in. */
export function withoutNode(side: Side): Side {
  const connections = side.connections.map((each): Connection => {
    if (each.session === null) return each
    return { ...each, session: null, toNode: [], toHolder: [...each.toHolder, { type: 'close' }] }
  })
  return { ...side, connections, attached: [] }
}

/** The process is gone, and another takes its place. Its connections are closed by its machine. */
function restart({ side, node }: Here): Here {
  const connections = side.connections.map((each): Connection => {
    if (!each.isOpen) return { ...each, toHolder: [] }
    return { ...each, isOpen: false, toHolder: [], toNode: [...each.toNode, { type: 'close' }] }
  })
  const holder = newHolder(side.holder.process + 1)
  return connect({ node, side: { ...side, connections, holder, isPaused: false } }, { type: 'start' })
}

/** What is on its way is lost, and both ends hear of it. */
function breakOff(side: Side): Side {
  const connections = side.connections.map((each): Connection => {
    return { ...each, toNode: each.session === null ? [] : [{ type: 'close' }], toHolder: [{ type: 'close' }] }
  })
  return { ...side, connections }
}

function carryOne({ side, node }: Here): Here | undefined {
  if (side.isCut) return undefined
  for (const [at, { toNode, toHolder, isOpen }] of side.connections.entries()) {
    if (toNode.length > 0) return deliverToNode(node, side, at)
    const type = toHolder[0]?.type ?? 'entries'
    if (isOpen && !side.isPaused && side.holder.todo.length === 0 && type !== 'entries' && type !== 'welcome') {
      return { node, side: deliverToHolder(side, at) }
    }
  }
  return undefined
}

function carried(here: Here): Here {
  const next = carryOne(here)
  return next === undefined ? here : carried(next)
}

function withPause({ side, node }: Here, isPaused: boolean): Here {
  return { node, side: { ...side, isPaused } }
}

function withCut({ side, node }: Here, isCut: boolean): Here {
  return { node, side: { ...side, isCut } }
}
