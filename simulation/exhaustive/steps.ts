import {
  beginToWait,
  hasNews,
  isInForce,
  isRenewalDue,
  isServing,
  membersRead,
  readMembers,
  renew,
  renewed,
  startNode,
} from './node.ts'
import { ENTRY } from './setting.ts'
import { type SideStep, withoutNode } from './side-steps.ts'
import type { Left, NodeProcess, Side, World } from './world.ts'

/** One thing that can happen. */
export interface Step {
  /** Which of the sides it happens at. */
  readonly at: 0 | 1 | null
  readonly what: string
  readonly world: World
}

/** How a side and the node go on by themselves. */
export interface Ways {
  readonly sideSteps: (side: Side, node: NodeProcess | null, left: Left) => readonly SideStep[]
  readonly passSide: (side: Side) => Side
  readonly passNode: (node: NodeProcess) => NodeProcess
}

/**
 * Everything that can happen next. Within a unit, what somebody has to do happens in any order, and before the unit is
 * over, unless the link is cut, the holder paused, the database slow or the unit late; everything else happens at some
 * time, or never.
 */
export function stepsFrom(world: World, ways: Ways): readonly Step[] {
  const { node, left } = world
  const steps: Step[] = []
  if (node !== null) nodeDuties(world, node, steps)
  let isIdle = steps.length === 0
  for (const at of [0, 1] as const) {
    for (const step of ways.sideSteps(world.sides[at], node, left)) {
      if (step.isDuty) isIdle = false
      steps.push({ at, what: step.what, world: withSide(world, at, step) })
    }
  }
  if (isIdle) add(steps, 'a unit passes', pass(world, ways))
  else if (left.late > 0) add(steps, 'a unit passes MEANWHILE', pass(spend(world, 'late'), ways))
  if (node === null) add(steps, 'NODE STARTS AGAIN', startNode(world, 2))
  else nodeChances(world, node, steps)
  return steps
}

function nodeDuties(world: World, node: NodeProcess, steps: Step[]): void {
  if (isRenewalDue(node)) add(steps, 'node renews', renewed(world, renew(world, node)))
  if (node.lease.phase === 'member' && node.appliedSeq < world.headSeq) {
    add(steps, 'node applies the entry', { ...world, node: { ...node, appliedSeq: world.headSeq } })
  }
  if (node.request === 'waiting' && isInForce(world, node, 0)) {
    const answered: NodeProcess = { ...node, request: 'answered', wait: null, isUnread: false }
    add(steps, 'THE 201 IS SENT', { ...world, node: answered, isAnswered: true })
  }
}

function nodeChances(world: World, node: NodeProcess, steps: Step[]): void {
  if (world.left.crashes > 0) add(steps, 'NODE CRASHES', crash(world))
  if (isServing(node) && node.request === 'none' && !world.isAnswered) {
    revoke({ ...world, headSeq: ENTRY.seq }, node, steps)
  }
  if (hasNews(world, node)) {
    add(steps, 'node reads the members', membersRead(world, readMembers({ ...node, isUnread: true })))
  }
  if (isRenewalDue(node) && world.left.slow > 0) {
    add(steps, 'node renews SLOWLY', { ...spend(world, 'slow'), node: renew(world, node) })
  }
  if (node.renewing !== null) add(steps, 'node has renewed', renewed(world, node))
  if (node.reading !== null) add(steps, 'node has read the members', membersRead(world, node))
  if (node.request === 'committed') add(steps, 'node begins to wait', waiting(world, beginToWait(node)))
}

/** The entry is committed, the node hears so, asks for the members and hears of them, any of it as late as it may be. */
function revoke(world: World, node: NodeProcess, steps: Step[]): void {
  const asking = beginToWait(node)
  add(steps, 'REVOCATION COMMITTED', waiting(world, asking))
  if (world.left.slow === 0) return
  const slow = spend(world, 'slow')
  add(steps, 'REVOCATION COMMITTED, and heard of SLOWLY', { ...slow, node: { ...node, request: 'committed' } })
  if (!asking.isUnread) add(steps, 'REVOCATION COMMITTED, and members read SLOWLY', { ...slow, node: asking })
}

/** An earlier reading of the members has to end first. */
function waiting(world: World, asking: NodeProcess): World {
  return asking.isUnread ? { ...world, node: asking } : membersRead(world, asking)
}

/** Its row is not gone. */
function crash(world: World): World {
  const [a, b] = world.sides
  return { ...spend(world, 'crashes'), node: null, sides: [withoutNode(a), withoutNode(b)] }
}

function pass(world: World, { passSide, passNode }: Ways): World {
  const [a, b] = world.sides
  return { ...world, sides: [passSide(a), passSide(b)], node: world.node && passNode(world.node) }
}

function withSide(world: World, at: 0 | 1, { side, snapshotSeq, spends }: SideStep): World {
  const [a, b] = world.sides
  const isSame = world.node === null || world.node.snapshotSeq === snapshotSeq
  const next: World = {
    ...world,
    sides: at === 0 ? [side, b] : [a, side],
    node: isSame ? world.node : { ...world.node, snapshotSeq },
  }
  return spends.reduce(spend, next)
}

function spend(world: World, what: keyof Left): World {
  return { ...world, left: { ...world.left, [what]: world.left[what] - 1 } }
}

function add(steps: Step[], what: string, world: World): void {
  steps.push({ at: null, what, world })
}
