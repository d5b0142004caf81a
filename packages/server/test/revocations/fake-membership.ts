import { genesis, type Position, Unavailable } from '@rescind/protocol'
import type { Membership, NodeRecord } from '../../storage/storage.ts'

type Method = Exclude<keyof Membership, 'onReport'>

const MOST_CALLS = 10_000

const EPOCH = '0b8ad6f0-6b1f-4a0f-9c5f-6f1f0a3a7c11'

/** The rows of the nodes, in memory. Everything takes effect when it is called; what is held is answered when it is let go. */
export class FakeMembership implements Membership {
  readonly rows = new Map<string, NodeRecord>()
  headSeq = 0
  /** To be called when another node has reported. */
  hint = (): void => {}
  /** Everything that was asked for, in order. */
  readonly calls: string[] = []
  /** These fail. */
  readonly failing = new Set<Method>()
  readonly #held = new Map<Method, Promise<void>>()

  /** @returns lets what was held go */
  hold(method: Method): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#held.set(method, promise)
    return () => {
      this.#held.delete(method)
      resolve()
    }
  }

  /** Another node. */
  put(nodeId: string, changes: Partial<NodeRecord> = {}): void {
    const known = this.rows.get(nodeId) ?? { nodeId, leaseMs: 30_000, renewals: 0, inForceSeq: 0 }
    this.rows.set(nodeId, { ...known, ...changes })
  }

  join({ nodeId, leaseMs }: { readonly nodeId: string; readonly leaseMs: number }): Promise<void> {
    return this.#do('join', nodeId, () => {
      if (this.calls.filter((call) => call === `join ${nodeId}`).length > 1) throw new Error('An id is used once')
      this.put(nodeId, { leaseMs })
    })
  }

  announceGrants(nodeId: string): Promise<void> {
    return this.#do('announceGrants', nodeId, () => {})
  }

  renew(nodeId: string, inForceSeq: number): Promise<Position | undefined> {
    return this.#do('renew', `${nodeId} ${inForceSeq}`, () => {
      const row = this.rows.get(nodeId)
      if (row === undefined) return undefined
      this.put(nodeId, { renewals: row.renewals + 1, inForceSeq: Math.max(row.inForceSeq, inForceSeq) })
      return { ...genesis(EPOCH), seq: this.headSeq }
    })
  }

  report(nodeId: string, inForceSeq: number): Promise<void> {
    return this.#do('report', `${nodeId} ${inForceSeq}`, () => {
      if (this.rows.has(nodeId)) this.put(nodeId, { inForceSeq })
    })
  }

  members(): Promise<readonly NodeRecord[]> {
    return this.#do('members', '', () => [...this.rows.values()])
  }

  onReport(hint: () => void): void {
    this.hint = hint
  }

  leave(nodeId: string): Promise<void> {
    return this.#do('leave', nodeId, () => {
      this.rows.delete(nodeId)
    })
  }

  remove(nodeId: string, renewals: number): Promise<void> {
    return this.#do('remove', `${nodeId} ${renewals}`, () => {
      if (this.rows.get(nodeId)?.renewals === renewals) this.rows.delete(nodeId)
    })
  }

  async #do<T>(method: Method, what: string, effect: () => T): Promise<T> {
    this.calls.push(`${method} ${what}`.trim())
    // Whoever asks without end is not answered any more, and found out by that.
    if (this.calls.length > MOST_CALLS) await new Promise(() => {})
    if (this.failing.has(method)) throw new Unavailable('storage_unavailable')
    const result = effect()
    await this.#held.get(method)
    return result
  }
}
