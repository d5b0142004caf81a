import { continues, genesis, type Position } from '@rescind/protocol'
import { readInstallation } from '../sql/installation.ts'
import { head as readHead } from '../sql/revocation-log.ts'
import { StorageRefused } from '../storage.ts'
import { isEngineFault } from './engine-fault.ts'
import type { PreparedStatements } from './prepared-statements.ts'

/** How many entries before the head are hashed again at every start. */
const CHECKED_ENTRIES = 1000

/**
 * Checks that the head names the last entry and that the entries before it form an intact chain, the most recent
 * {@link CHECKED_ENTRIES} of them or back to the beginning of the log. Those are what an interrupted write or a file put
 * back from another time would break.
 *
 * @throws StorageRefused when they do not
 */
export function checkLog(statements: PreparedStatements, dataDir: string): void {
  const installation = statements.run(readInstallation, {})
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

function findProblem(statements: PreparedStatements, epoch: string): string | undefined {
  const head = statements.run(readHead, {})
  if (head.epoch !== epoch) return 'it belongs to another installation'

  const start = Math.max(0, head.seq - CHECKED_ENTRIES)
  let position: Position | undefined = start === 0 ? genesis(epoch) : undefined
  for (const entries of statements.entriesAfter(Math.max(0, start - 1))) {
    for (const entry of entries) {
      if (position && !continues(position, entry)) return `entry ${entry.seq} does not continue the one before it`
      position = { epoch, seq: entry.seq, hash: entry.hash }
    }
  }
  const last = position?.seq ?? 0
  return last === head.seq && position?.hash === head.hash
    ? undefined
    : `its head says ${head.seq}, its last entry ${last}`
}
