import type { Position } from '@rescind/protocol'
import type { ClientBase } from 'pg'
import { decodeHead } from '../sql/revocation-log.ts'
import type { LogTail } from './log-tail.ts'

/** Locks the head of the log until the transaction ends. @returns the head; `undefined` when there is no installation yet */
export type HeadLock = (client: ClientBase) => Promise<Position | undefined>

interface Row {
  readonly epoch: string
  readonly seq: number
  readonly hash: string
  readonly followed: string | null
}

/**
 * Every transaction that writes takes this lock first: numbers are given in the order of commits, and the transactions
 * of all nodes run one after the other. What was followed must be part of this log; otherwise this is another history.
 *
 * Taking the lock is a write. So the commit of a transaction that only found something done already, such as a
 * revocation whose own commit was never confirmed, is confirmed only with everything before it.
 */
export function createHeadLock(schema: string, tail: LogTail): HeadLock {
  const text = `SELECT head.epoch, head.seq, head.hash,
      (SELECT log.hash FROM "${schema}".revocation_log AS log WHERE log.seq = $1) AS followed
    FROM "${schema}".log_head AS head FOR UPDATE OF head`
  return async (client) => {
    const { seq = 0, hash } = tail.position ?? {}
    const { rows } = await client.query<Row>({ name: 'rescind_lock_head', text, values: [seq] })
    const head = rows[0]
    if (head === undefined) return undefined
    if (seq > 0 && head.followed !== hash) tail.diverged()
    return decodeHead(head)
  }
}
