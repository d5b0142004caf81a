import type { Clock, Position, Timers } from '@rescind/protocol'
import type { ClientBase, Pool, QueryResult, QueryResultRow } from 'pg'
import { decodeNode, insertNode, markNodeGranting, markNodeLeft } from '../sql/nodes.ts'
import { decodeHead } from '../sql/revocation-log.ts'
import { type Arguments, command, type Statement } from '../sql/statement.ts'
import type { Membership, NodeRecord } from '../storage.ts'
import { withClient } from './connections.ts'
import { inTime } from './deadline.ts'
import { inDurableTransaction } from './durable-transaction.ts'
import type { LogTail } from './log-tail.ts'
import type { PreparedStatements } from './prepared-statements.ts'
import { unavailableOr } from './server-fault.ts'

interface MembershipDeps {
  readonly vital: Pool
  readonly statements: PreparedStatements
  readonly clock: Clock
  readonly timers: Timers
  readonly tail: LogTail
  /** Tells the other nodes that something was reported. */
  readonly reported: () => void
  /** @throws Unavailable once the storage has failed or is closed */
  readonly assertOpen: () => void
}

const removeNode = command<{ nodeId: string; renewals: number; atMs: number }>((db, args) =>
  db
    .updateTable('nodes')
    .set({ left_at_ms: args.atMs })
    .where('node_id', '=', args.nodeId)
    .where('left_at_ms', 'is', null)
    .where('renewals', '<=', args.renewals),
)

type MemberRow = Parameters<typeof decodeNode>[0] & { readonly followed: boolean }

interface HeadRow {
  readonly epoch: string
  readonly seq: number
  readonly hash: string
}

/**
 * The rows of the nodes: every method is one statement, and a transaction of its own. What a node says of itself counts only
 * where the history is that it has applied: the statement that renews or reports changes nothing in a database whose
 * log has another entry at the position of this node.
 */
export class PostgresMembership implements Membership {
  readonly #deps: MembershipDeps
  readonly #renewal: string
  readonly #report: string
  readonly #members: string
  readonly #hasFollowed: string
  /** Renewals that were sent, of the node that sent the last one. */
  #sent = { nodeId: '', renewals: 0 }
  #hint = (): void => {}

  constructor(deps: MembershipDeps) {
    const { schema } = deps.statements
    this.#deps = deps
    const hasFollowed = (seq: string, hash: string) =>
      `(${seq}::bigint = 0 OR EXISTS (SELECT 1 FROM "${schema}".revocation_log AS log WHERE log.seq = ${seq} AND log.hash = ${hash}))`
    this.#hasFollowed = `SELECT ${hasFollowed('$1', '$2')} AS followed`
    this.#renewal = `UPDATE "${schema}".nodes AS node SET renewals = GREATEST(node.renewals + 1, $5), in_force_seq = $2
      FROM "${schema}".log_head AS head
      WHERE node.node_id = $1 AND node.left_at_ms IS NULL AND ${hasFollowed('$3', '$4')}
      RETURNING head.epoch, head.seq, head.hash`
    this.#members = `SELECT node.node_id, node.lease_ms, node.renewals, node.in_force_seq, here.followed
      FROM (SELECT ${hasFollowed('$1', '$2')} AS followed) AS here
      LEFT JOIN "${schema}".nodes AS node ON node.left_at_ms IS NULL`
    // Whoever reads it knows that it is true, and losing it costs a wait: the disk need not confirm it.
    this.#report = `WITH relaxed AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
      UPDATE "${schema}".nodes AS node SET in_force_seq = $2 FROM relaxed
      WHERE node.node_id = $1 AND node.left_at_ms IS NULL AND ${hasFollowed('$3', '$4')}`
  }

  async join({ nodeId, leaseMs }: { readonly nodeId: string; readonly leaseMs: number }): Promise<void> {
    await this.#write(insertNode, { nodeId, leaseMs, atMs: this.#deps.clock.nowMs() })
  }

  async announceGrants(nodeId: string): Promise<void> {
    const announced = await this.#write(markNodeGranting, { nodeId, atMs: this.#deps.clock.nowMs() })
    if (announced === 1) return
    const members = await this.members()
    if (!members.some((member) => member.nodeId === nodeId)) throw new Error(`The node ${nodeId} is no member.`)
  }

  /**
   * Reads the head in the statement that renews: what is committed before that is sent is in it. The count of a renewal
   * that was seen and then lost in a failover is not used again: whoever saw it would take the row for one that stands still.
   */
  async renew(nodeId: string, inForceSeq: number): Promise<Position | undefined> {
    this.#sent = { nodeId, renewals: this.#sent.nodeId === nodeId ? this.#sent.renewals + 1 : 1 }
    const { renewals } = this.#sent
    const { rows } = await this.#tell(nodeId, inForceSeq, (client, values) =>
      inDurableTransaction(client, () =>
        client.query<HeadRow>({ name: 'rescind_renew', text: this.#renewal, values: [...values, renewals] }),
      ),
    )
    const head = rows[0] && decodeHead(rows[0])
    if (head !== undefined) this.#deps.tail.expect(head)
    return head
  }

  async report(nodeId: string, inForceSeq: number): Promise<void> {
    await this.#tell(nodeId, inForceSeq, (client, values) =>
      client.query({ name: 'rescind_report', text: this.#report, values: [...values] }),
    )
    this.#deps.reported()
  }

  onReport(hint: () => void): void {
    this.#hint = hint
  }

  /** Another node may have reported something. */
  heard(): void {
    this.#hint()
  }

  /**
   * Who may be deciding without an entry is known where the entry is: a connection that has stayed with a former primary
   * shows members of then.
   */
  members(): Promise<readonly NodeRecord[]> {
    const { seq = 0, hash = '' } = this.#deps.tail.position ?? {}
    return this.#guarded(() =>
      withClient(this.#deps.vital, async (client) => {
        const values = [seq, hash]
        const { rows } = await client.query<MemberRow>({ name: 'rescind_members', text: this.#members, values })
        if (!rows[0]?.followed) throw new Error(`The server does not have entry ${seq}, which was followed.`)
        return rows.filter(({ node_id }) => node_id !== null).map(decodeNode)
      }),
    )
  }

  async leave(nodeId: string): Promise<void> {
    await this.#write(markNodeLeft, { nodeId, atMs: this.#deps.clock.nowMs() })
  }

  async remove(nodeId: string, renewals: number): Promise<void> {
    await this.#write(removeNode, { nodeId, renewals, atMs: this.#deps.clock.nowMs() })
  }

  /** What this node says of itself, where its history is. */
  #tell<Row extends QueryResultRow>(
    nodeId: string,
    inForceSeq: number,
    say: (client: ClientBase, values: readonly (string | number)[]) => Promise<QueryResult<Row>>,
  ): Promise<QueryResult<Row>> {
    const { seq = 0, hash = '' } = this.#deps.tail.position ?? {}
    return this.#guarded(() =>
      withClient(this.#deps.vital, async (client) => {
        const told = await say(client, [nodeId, inForceSeq, seq, hash])
        if (told.rowCount !== 0) return told
        const [row] = (await client.query(this.#hasFollowed, [seq, hash])).rows
        return row.followed ? told : this.#deps.tail.diverged()
      }),
    )
  }

  #write<A extends Arguments, Result>(statement: Statement<A, Result>, args: A): Promise<Result> {
    const { vital, statements } = this.#deps
    return this.#guarded(() =>
      withClient(vital, (client) => inDurableTransaction(client, () => statements.run(client, statement, args))),
    )
  }

  async #guarded<T>(step: () => Promise<T>): Promise<T> {
    this.#deps.assertOpen()
    try {
      return await inTime(this.#deps.timers, step())
    } catch (cause) {
      throw unavailableOr(cause)
    }
  }
}
