import type { Clock, Position } from '@rescind/protocol'
import { decodeNode, insertNode, markNodeGranting, markNodeLeft } from '../sql/nodes.ts'
import { head } from '../sql/revocation-log.ts'
import { all } from '../sql/statement.ts'
import type { Membership, NodeRecord } from '../storage.ts'
import type { PreparedStatements } from './prepared-statements.ts'

/** Those that have granted leases and have not left. */
const granting = all(
  (db) => db.selectFrom('nodes').selectAll().where('left_at_ms', 'is', null).where('grants_since_ms', 'is not', null),
  decodeNode,
)

/** How a step gets at the connection it shares with everything else. */
interface Turns {
  /** Runs `step` when the connection shows committed rows only. */
  readonly read: <T>(step: () => T) => Promise<T>
  /** Runs `step` in a transaction, and `durable` with its result at once when that is durable. */
  readonly write: <T>(step: () => T, durable: (result: T) => void) => Promise<unknown>
  /** @throws Unavailable once the storage has failed or is closed */
  readonly assertOpen: () => void
}

/**
 * The membership where one process owns the database. Nobody else can read a row between two renewals, so these and
 * the reports are kept in memory and write nothing. Who joined and who left is on the disk: the next process must find
 * those that ended without leaving. Their renewals then begin at 0 again, and stand still as well as any other number. Those
 * that never granted a lease left nobody behind who could decide: they ended with the process that owned the database.
 */
export class SqliteMembership implements Membership {
  readonly #statements: PreparedStatements
  readonly #clock: Clock
  readonly #turns: Turns
  /** The committed rows of those that have not left, by id. */
  readonly #nodes: Map<string, NodeRecord>
  readonly #granting: Set<string>

  constructor(statements: PreparedStatements, clock: Clock, turns: Turns) {
    this.#statements = statements
    this.#clock = clock
    this.#turns = turns
    this.#nodes = new Map(statements.run(granting, {}).map((node) => [node.nodeId, node]))
    this.#granting = new Set(this.#nodes.keys())
  }

  async join({ nodeId, leaseMs }: { readonly nodeId: string; readonly leaseMs: number }): Promise<void> {
    await this.#turns.write(
      () => this.#statements.run(insertNode, { nodeId, leaseMs, atMs: this.#clock.nowMs() }),
      () => this.#nodes.set(nodeId, { nodeId, leaseMs, renewals: 0, inForceSeq: 0 }),
    )
  }

  async announceGrants(nodeId: string): Promise<void> {
    this.#turns.assertOpen()
    if (this.#granting.has(nodeId) && this.#nodes.has(nodeId)) return
    await this.#turns.write(
      () => {
        if (!this.#nodes.has(nodeId)) throw new Error(`The node ${nodeId} is no member.`)
        if (!this.#granting.has(nodeId)) this.#statements.run(markNodeGranting, { nodeId, atMs: this.#clock.nowMs() })
      },
      () => this.#granting.add(nodeId),
    )
  }

  /** Counts between two batches: a removal has then been committed, or will see the renewal. */
  renew(nodeId: string, inForceSeq: number): Promise<Position | undefined> {
    return this.#turns.read(() => {
      const node = this.#nodes.get(nodeId)
      if (node === undefined) return undefined
      const committed = this.#statements.run(head, {})
      this.#nodes.set(nodeId, { ...node, renewals: node.renewals + 1, inForceSeq })
      return committed
    })
  }

  async report(nodeId: string, inForceSeq: number): Promise<void> {
    this.#turns.assertOpen()
    const node = this.#nodes.get(nodeId)
    if (node) this.#nodes.set(nodeId, { ...node, inForceSeq })
  }

  /** Does not touch the database: every revocation asks. */
  async members(): Promise<readonly NodeRecord[]> {
    this.#turns.assertOpen()
    return [...this.#nodes.values()]
  }

  /** There is no other node. */
  onReport(): void {}

  leave(nodeId: string): Promise<void> {
    return this.remove(nodeId, Number.POSITIVE_INFINITY)
  }

  async remove(nodeId: string, renewals: number): Promise<void> {
    await this.#turns.write(
      () => {
        const node = this.#nodes.get(nodeId)
        if (node === undefined || node.renewals > renewals) return false
        this.#statements.run(markNodeLeft, { nodeId, atMs: this.#clock.nowMs() })
        return true
      },
      (removed) => {
        if (removed) this.#nodes.delete(nodeId)
      },
    )
  }
}
