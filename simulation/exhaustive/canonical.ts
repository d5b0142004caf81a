import { nodeKey, nodeOutlook, restKey, sideKey } from './key.ts'
import { normalNode, normalSide } from './normal.ts'
import { type SideStep, settleAlone, sideSteps } from './side-steps.ts'
import type { Ways } from './steps.ts'
import { passNode, passSide } from './time.ts'
import type { Left, NodeProcess, Side, World } from './world.ts'

/**
 * One object and one number for everything that goes on in the same way, so that how it goes on is worked out once: what
 * is only told apart by counters, by what the holders are called, or by what is kept for reports alone, is the same.
 */
export class Canonical implements Ways {
  readonly #sides = new Interned<Side>(normalSide, sideKey)
  readonly #nodes = new Interned<NodeProcess>(normalNode, nodeKey)
  readonly #rests = new Map<string, number>()
  readonly #outlooks = new WeakMap<NodeProcess, string>()
  readonly #sideSteps = new WeakMap<Side, Map<string, readonly SideStep[]>>()
  readonly #passedSides = new WeakMap<Side, Side>()
  readonly #passedNodes = new WeakMap<NodeProcess, NodeProcess>()

  /** @returns the number of the world, and whether its sides changed places */
  of(world: World): { readonly world: World; readonly id: number; readonly isSwapped: boolean } {
    const a = this.#sides.of(world.sides[0])
    const b = this.#sides.of(world.sides[1])
    const node = world.node && this.#nodes.of(world.node)
    const isSwapped = a.id > b.id
    const [first, second] = isSwapped ? [b, a] : [a, b]
    const id = packed(first.id, second.id, node === null ? 0 : node.id + 1, this.#rest(world))
    const sides: World['sides'] = [first.value, second.value]
    return { world: { ...world, sides, node: node === null ? null : node.value }, id, isSwapped }
  }

  sideSteps = (side: Side, node: NodeProcess | null, left: Left): readonly SideStep[] => {
    const outlook = `${this.#outlook(node)}${left.crashes}${left.partitions}${left.breaks}${left.stops}${left.pauses}`
    const known = remembered(this.#sideSteps, side, () => new Map<string, readonly SideStep[]>())
    let steps = known.get(outlook)
    if (steps === undefined) {
      steps = sideSteps({ side, node }, left).map((step) => ({ ...step, side: this.#sides.of(step.side).value }))
      known.set(outlook, steps)
    }
    return steps
  }

  passSide = (side: Side): Side =>
    remembered(this.#passedSides, side, () => this.#sides.of(settleAlone(passSide(side))).value)

  passNode = (node: NodeProcess): NodeProcess =>
    remembered(this.#passedNodes, node, () => this.#nodes.of(passNode(node)).value)

  #outlook(node: NodeProcess | null): string {
    return node === null ? '' : remembered(this.#outlooks, node, () => nodeOutlook(node))
  }

  #rest(world: World): number {
    const key = restKey(world)
    const known = this.#rests.get(key)
    if (known !== undefined) return known
    this.#rests.set(key, this.#rests.size)
    return this.#rests.size - 1
  }
}

interface Numbered<T> {
  readonly id: number
  readonly value: T
}

class Interned<T extends object> {
  readonly #byObject = new WeakMap<T, Numbered<T>>()
  readonly #byKey = new Map<string, Numbered<T>>()
  readonly #normal: (value: T) => T
  readonly #key: (value: T) => string

  constructor(normal: (value: T) => T, key: (value: T) => string) {
    this.#normal = normal
    this.#key = key
  }

  of(value: T): Numbered<T> {
    const known = this.#byObject.get(value)
    if (known !== undefined) return known
    const normal = this.#normal(value)
    const key = this.#key(normal)
    let numbered = this.#byKey.get(key)
    if (numbered === undefined) {
      numbered = { id: this.#byKey.size, value: normal }
      this.#byKey.set(key, numbered)
      this.#byObject.set(normal, numbered)
    }
    return numbered
  }
}

function remembered<K extends object, V>(known: WeakMap<K, V>, key: K, make: () => V): V {
  let value = known.get(key)
  if (value === undefined) {
    value = make()
    known.set(key, value)
  }
  return value
}

/** Four numbers in one. */
function packed(first: number, second: number, node: number, rest: number): number {
  const isSmall = first < 2 ** 16 && second < 2 ** 16 && node < 2 ** 13 && rest < 2 ** 8
  if (!isSmall) throw new RangeError(`More different parts than can be numbered: ${[first, second, node, rest]}`)
  return ((first * 2 ** 16 + second) * 2 ** 13 + node) * 2 ** 8 + rest
}
