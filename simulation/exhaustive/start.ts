import { newHolder } from './holder.ts'
import { startNode } from './node.ts'
import { connect, type Here, sideSteps } from './side-steps.ts'
import type { Left, Side, World } from './world.ts'

const NOTHING: Left = { crashes: 0, partitions: 0, breaks: 0, stops: 0, pauses: 0, late: 0, slow: 0 }

/** Two holders that follow one node, each with a lease, and nothing left to do. */
export function start(left: Left): World {
  const alone: Side = { holder: newHolder(0), connections: [], attached: [], isCut: false, isPaused: false }
  const empty: World = { sides: [alone, alone], node: null, rows: [], headSeq: 0, isAnswered: false, left }
  const world = startNode(empty, 1)
  const refused = connect({ side: alone, node: null }, { type: 'start' })
  const following = settled({ side: refused.side, node: world.node })
  return { ...world, sides: [following.side, following.side], node: following.node }
}

/** The first thing that can happen, until nothing more has to. */
function settled(here: Here): Here {
  const [step] = sideSteps(here, NOTHING)
  if (step === undefined) return here
  const { side, snapshotSeq } = step
  return settled({ side, node: here.node && { ...here.node, snapshotSeq } })
}
