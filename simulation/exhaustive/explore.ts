import { Canonical } from './canonical.ts'
import { INVARIANTS, type Invariant } from './invariants.ts'
import { ENTRY } from './setting.ts'
import { stepsFrom } from './steps.ts'
import { WITNESSES } from './witnesses.ts'
import type { World } from './world.ts'

export interface Explored {
  /** Different ones, each with everything that can happen next looked at, or all up to the violation. */
  readonly states: number
  readonly transitions: number
  /** Steps to the state that is furthest away. */
  readonly depth: number
  readonly violation: Violation | null
  /** What should have happened somewhere, and has not. */
  readonly unseen: readonly string[]
}

interface Violation {
  readonly invariant: Invariant
  /** A shortest way there. */
  readonly trace: readonly string[]
}

/** Every state that can come of `start`, nearest first, until one breaks one of the invariants. */
export function explore(start: World, invariants: readonly Invariant[]): Explored {
  const canonical = new Canonical()
  const first = canonical.of(start)
  const known = new Set([first.id])
  // Of each state, by the order in which they were found: the one it comes of, and by which of its steps.
  const parents = [0]
  const ordinals = [0]
  let unseen = WITNESSES.filter(({ isPossible }) => isPossible(start.left))
  let transitions = 0
  let depth = 0
  const brokenAtFirst = brokenBy(first.world)
  if (brokenAtFirst !== undefined) return explored({ invariant: brokenAtFirst, trace: [] })
  for (let level = [{ index: 0, world: first.world }]; level.length > 0; depth++) {
    const next: typeof level = []
    for (const { index, world } of level) {
      for (const [ordinal, step] of stepsFrom(world, canonical).entries()) {
        transitions++
        const reached = canonical.of(step.world)
        if (known.has(reached.id)) continue
        known.add(reached.id)
        const at = parents.push(index) - 1
        ordinals.push(ordinal)
        const broken = brokenBy(reached.world)
        if (broken !== undefined) return explored({ invariant: broken, trace: retrace(at) })
        if (unseen.some(({ isSeen }) => isSeen(reached.world))) {
          unseen = unseen.filter(({ isSeen }) => !isSeen(reached.world))
        }
        if (!isSettled(reached.world)) next.push({ index: at, world: reached.world })
      }
    }
    level = next
  }
  return explored(null)

  function brokenBy(world: World): Invariant | undefined {
    return invariants.find((invariant) => !INVARIANTS[invariant](world))
  }

  function explored(violation: Violation | null): Explored {
    return { states: known.size, transitions, depth, violation, unseen: unseen.map(({ what }) => what) }
  }

  /** What happened at each step, with the holders called the same all the way. */
  function retrace(end: number): readonly string[] {
    const way: number[] = []
    for (let at = end; at !== 0; at = parents[at] ?? 0) way.unshift(ordinals[at] ?? 0)
    const names = ['A', 'B']
    let { world, isSwapped } = first
    return way.map((ordinal) => {
      if (isSwapped) names.reverse()
      const step = stepsFrom(world, canonical)[ordinal]
      if (step === undefined) throw new Error('The way cannot be gone again')
      ;({ world, isSwapped } = canonical.of(step.world))
      return step.at === null ? step.what : `${names[step.at]} ${step.what}`
    })
  }
}

/** Nothing can go wrong with the revocation any more: everyone has applied it who will ever be there. */
function isSettled({ isAnswered, node, sides, left }: World): boolean {
  const isApplied = (appliedSeq: number) => appliedSeq >= ENTRY.seq
  return (
    isAnswered &&
    left.crashes === 0 &&
    node !== null &&
    isApplied(node.appliedSeq) &&
    sides.every(({ holder }) => isApplied(holder.appliedSeq))
  )
}
