import type { Entry, Position } from '@rescind/protocol'
import type { ClientBase } from 'pg'
import { beginDurable, commitDurably } from './durable-transaction.ts'
import type { HeadLock } from './head-lock.ts'
import type { Committed } from './log-tail.ts'
import { PostgresTransaction } from './postgres-transaction.ts'
import type { PreparedStatements } from './prepared-statements.ts'
import { UnitScope } from './unit-scope.ts'

interface BatchDeps {
  readonly statements: PreparedStatements
  readonly lockHead: HeadLock
}

/** A unit of a batch. It may be run more than once. */
export interface BatchUnit {
  /** Resolves to what settles the unit once its batch is durable. */
  readonly run: (tx: PostgresTransaction) => Promise<() => void>
  readonly reject: (error: unknown) => void
  /** Nobody waits for it any more. */
  readonly isLate: boolean
}

/** What was made durable. */
export interface Batch extends Committed {
  readonly settlements: readonly (() => void)[]
}

/**
 * Runs the units in one transaction that begins by locking the head of the log, and commits it. Most batches hold no
 * unit that fails: they run without a savepoint for each unit, and wait for nothing but what the units read. When one
 * did fail nothing is kept, and the batch runs again with each unit apart.
 *
 * @throws what went wrong with the server: whether the batch is durable is not known if that was at the commit
 */
export async function runBatch(client: ClientBase, units: readonly BatchUnit[], deps: BatchDeps): Promise<Batch> {
  return (await runTogether(client, units, deps)) ?? (await runApart(client, units, deps))
}

/** @returns `undefined` when a unit failed: nothing remains of the batch, and the transaction has ended */
async function runTogether(
  client: ClientBase,
  units: readonly BatchUnit[],
  { statements, lockHead }: BatchDeps,
): Promise<Batch | undefined> {
  const scopes: UnitScope[] = []
  const entries: Entry[] = []
  const settlements: (() => void)[] = []
  let head = await begin(client, lockHead)
  const timely = units.filter(isTimely)
  for (const unit of timely) {
    const scope = new UnitScope()
    const tx = new PostgresTransaction(statements, client, scope, entries, head)
    scopes.push(scope)
    const settle = await scope.runUnconfirmed(() => unit.run(tx)).catch(() => undefined)
    if (settle === undefined) break
    settlements.push(settle)
    head = tx.knownHead
  }
  // Before the commit: that a statement changed what it had to is for this process to find.
  await Promise.all(scopes.map((scope) => scope.answered()))
  // The first one counts: of what comes after it the server says only that it ignores it.
  const refused = scopes.find(({ isRefused }) => isRefused)
  if (refused?.fault) throw refused.fault.cause
  if (refused || settlements.length < timely.length) {
    await client.query('ROLLBACK')
    return undefined
  }
  await commitDurably(client)
  return { head, entries, settlements }
}

/**
 * Each unit under a savepoint of its own: one that throws leaves nothing behind, and the others share the commit. What is
 * sent without waiting is answered in order: whatever goes wrong with it is heard of before anything is acknowledged.
 */
async function runApart(
  client: ClientBase,
  units: readonly BatchUnit[],
  { statements, lockHead }: BatchDeps,
): Promise<Batch> {
  const entries: Entry[] = []
  const settlements: (() => void)[] = []
  const controls: Promise<unknown>[] = []
  const send = (text: string) => {
    const answer = client.query(text)
    answer.catch(() => {})
    controls.push(answer)
  }
  let head = await begin(client, lockHead)
  for (const unit of units.filter(isTimely)) {
    send('SAVEPOINT unit')
    const scope = new UnitScope()
    const appended: Entry[] = []
    const tx = new PostgresTransaction(statements, client, scope, appended, head)
    try {
      const settle = await scope.runUnit(() => unit.run(tx))
      settlements.push(settle)
      entries.push(...appended)
      head = tx.knownHead
    } catch (error) {
      if (scope.fault) throw scope.fault.cause
      settlements.push(() => unit.reject(error))
      send('ROLLBACK TO unit')
    }
    send('RELEASE unit')
  }
  await commitDurably(client)
  await Promise.all(controls)
  return { head, entries, settlements }
}

/** What has waited for too long does not happen later than its caller was told that it may not have. */
function isTimely({ isLate }: BatchUnit): boolean {
  return !isLate
}

/** @returns the head of the log, which is locked; `undefined` when there is no installation yet */
async function begin(client: ClientBase, lockHead: HeadLock): Promise<Position | undefined> {
  const begun = beginDurable(client)
  begun.catch(() => {})
  const head = await lockHead(client)
  // Answered by now. Without a transaction, each statement of the units would be one.
  await begun
  return head
}
