export type LockMode = 'shared' | 'exclusive'

/** A transaction, as far as locks go. */
export interface LockOwner {
  readonly heldRows: Set<string>
  /** The row whose lock it waits for. */
  awaitedRow: string | undefined
}

interface Waiter {
  readonly owner: LockOwner
  readonly mode: LockMode
  readonly granted: () => void
}

interface RowLock {
  readonly holders: Map<LockOwner, LockMode>
  readonly queue: Waiter[]
}

/** Locks on rows, held until the transaction ends. Whoever waits is served in the order of arrival. */
export class RowLocks {
  readonly #locks = new Map<string, RowLock>()

  /**
   * Takes a lock.
   *
   * @returns `waits` when `granted` will be called later; `deadlock` when that would never happen: nothing was taken then
   */
  acquire(owner: LockOwner, row: string, mode: LockMode, granted: () => void): 'granted' | 'waits' | 'deadlock' {
    let lock = this.#locks.get(row)
    if (lock === undefined) {
      lock = { holders: new Map(), queue: [] }
      this.#locks.set(row, lock)
    }
    const held = lock.holders.get(owner)
    if (held === 'exclusive' || held === mode) return 'granted'
    const waiter = { owner, mode, granted }
    if ((held !== undefined || lock.queue.length === 0) && isFree(lock, waiter)) {
      this.#hold(lock, row, waiter)
      return 'granted'
    }
    // Whoever holds the lock already cannot wait behind those who wait for it.
    if (held === undefined) lock.queue.push(waiter)
    else lock.queue.unshift(waiter)
    owner.awaitedRow = row
    if (!this.#waitsForItself(owner)) return 'waits'
    this.stopWaiting(owner)
    return 'deadlock'
  }

  /** Gives one lock back before the transaction ends. */
  release(owner: LockOwner, row: string): void {
    owner.heldRows.delete(row)
    const lock = this.#locks.get(row)
    if (lock?.holders.delete(owner)) this.#grantNext(lock, row)
  }

  releaseAll(owner: LockOwner): void {
    this.stopWaiting(owner)
    for (const row of [...owner.heldRows]) this.release(owner, row)
  }

  /** Nobody holds or waits for anything any more. */
  clear(): void {
    this.#locks.clear()
  }

  stopWaiting(owner: LockOwner): void {
    const row = owner.awaitedRow
    const lock = row === undefined ? undefined : this.#locks.get(row)
    owner.awaitedRow = undefined
    if (row === undefined || lock === undefined) return
    const at = lock.queue.findIndex((waiter) => waiter.owner === owner)
    if (at >= 0) lock.queue.splice(at, 1)
    this.#grantNext(lock, row)
  }

  /** Those who keep an owner waiting. */
  blockersOf(owner: LockOwner): LockOwner[] {
    const lock = owner.awaitedRow === undefined ? undefined : this.#locks.get(owner.awaitedRow)
    const at = lock?.queue.findIndex((waiter) => waiter.owner === owner) ?? -1
    const own = lock?.queue[at]
    if (lock === undefined || own === undefined) return []
    const blockers: LockOwner[] = []
    for (const [holder, mode] of lock.holders) if (holder !== owner && conflicts(mode, own.mode)) blockers.push(holder)
    for (const earlier of lock.queue.slice(0, at)) blockers.push(earlier.owner)
    return blockers
  }

  #hold(lock: RowLock, row: string, { owner, mode }: Waiter): void {
    lock.holders.set(owner, mode)
    owner.heldRows.add(row)
  }

  #grantNext(lock: RowLock, row: string): void {
    const served: Waiter[] = []
    for (let next = lock.queue[0]; next !== undefined && isFree(lock, next); next = lock.queue[0]) {
      lock.queue.shift()
      next.owner.awaitedRow = undefined
      this.#hold(lock, row, next)
      served.push(next)
    }
    if (lock.holders.size === 0 && lock.queue.length === 0) this.#locks.delete(row)
    for (const { granted } of served) granted()
  }

  #waitsForItself(owner: LockOwner): boolean {
    const seen = new Set<LockOwner>()
    const ahead = this.blockersOf(owner)
    for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
      if (next === owner) return true
      if (seen.has(next)) continue
      seen.add(next)
      ahead.push(...this.blockersOf(next))
    }
    return false
  }
}

function isFree(lock: RowLock, { owner, mode }: Waiter): boolean {
  for (const [holder, held] of lock.holders) if (holder !== owner && conflicts(held, mode)) return false
  return true
}

function conflicts(one: LockMode, other: LockMode): boolean {
  return one === 'exclusive' || other === 'exclusive'
}
