/** Something that happens at a time. Among those of the same time, the one that was planned first happens first. */
export interface PlannedEvent {
  readonly atMs: number
  readonly order: number
  /** `undefined` once it was cancelled. */
  run: (() => void) | undefined
}

/** A binary heap of events, the next one on top. */
export class EventHeap {
  readonly #events: PlannedEvent[] = []

  get size(): number {
    return this.#events.length
  }

  push(event: PlannedEvent): void {
    const events = this.#events
    let at = events.length
    events.push(event)
    while (at > 0) {
      const parentAt = (at - 1) >> 1
      const parent = events[parentAt] as PlannedEvent
      if (!isBefore(event, parent)) break
      events[at] = parent
      at = parentAt
    }
    events[at] = event
  }

  pop(): PlannedEvent | undefined {
    const events = this.#events
    const first = events[0]
    const last = events.pop()
    if (last === undefined || events.length === 0) return first
    const size = events.length
    let at = 0
    for (;;) {
      let childAt = 2 * at + 1
      if (childAt >= size) break
      const right = events[childAt + 1]
      if (right !== undefined && isBefore(right, events[childAt] as PlannedEvent)) childAt++
      const child = events[childAt] as PlannedEvent
      if (!isBefore(child, last)) break
      events[at] = child
      at = childAt
    }
    events[at] = last
    return first
  }
}

function isBefore(one: PlannedEvent, other: PlannedEvent): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order)
}
