import { continues, genesis, type Position } from '@rescind/protocol'
import { StorageRefused } from '../storage.ts'
import { isEngineFault } from './engine-fault.ts'
import type { Statements } from './statements.ts'

/** How many entries before the head are hashed again at every start. */
const CHECKED_ENTRIES = 1000

/**
 * Checks that the head names the last entry and that the entries before it form an intact chain, the most recent
 * {@link CHECKED_ENTRIES} of them or back to the beginning of the log. Those are what an interrupted write or a file put
 * back from another time would break.
 *
 * @throws StorageRefused when they do not
 */
export function checkLog(statements: Statements, dataDir: string): void {
  const installation = statements.installation()
  if (installation === undefined) return
  try {
    const problem = findProblem(statements, installation.epoch)
    if (problem) throw new StorageRefused(`The revocation log in ${dataDir} is broken: ${problem}. Restore a backup.`)
  } catch (cause) {
    if (cause instanceof StorageRefused || isEngineFault(cause)) throw cause
    const detail = cause instanceof Error ? cause.message : String(cause)
    throw new StorageRefused(`The revocation log in ${dataDir} cannot be read: ${detail}`, { cause })
  }
}

function findProblem(statements: Statements, epoch: string): string | undefined {
  const head = statements.head()
  if (head.epoch !== epoch) return 'it belongs to another installation'

  const start = Math.max(0, head.seq - CHECKED_ENTRIES)
  let position: Position | undefined = start === 0 ? genesis(epoch) : undefined
  for (const entry of statements.entriesAfter(Math.max(0, start - 1))) {
    if (position && !continues(position, entry)) return `entry ${entry.seq} does not continue the one before it`
    position = { epoch, seq: entry.seq, hash: entry.hash }
  }
  const last = position?.seq ?? 0
  return last === head.seq && position?.hash === head.hash
    ? undefined
    : `its head says ${head.seq}, its last entry ${last}`
}
