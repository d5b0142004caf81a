import { continues, genesis, type Position, positionAfter } from '@rescind/protocol'
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
 * @param place of the database, for people
 * @param entries how many are checked, at most
 * @throws StorageRefused when they do not
 */
export function checkLog(statements: PreparedStatements, place: string, entries = CHECKED_ENTRIES): void {
  const installation = statements.run(readInstallation, {})
  if (installation === undefined) return
  try {
    const problem = findProblem(statements, installation.epoch, entries)
    if (problem) throw new StorageRefused(`The revocation log in ${place} is broken: ${problem}. Restore a backup.`)
  } catch (cause) {
    if (cause instanceof StorageRefused || isEngineFault(cause)) throw cause
    const detail = cause instanceof Error ? cause.message : String(cause)
    throw new StorageRefused(`The revocation log in ${place} cannot be read: ${detail}`, { cause })
  }
}

function findProblem(statements: PreparedStatements, firstEpoch: string, checked: number): string | undefined {
  const head = statements.run(readHead, {})
  const start = Math.max(0, head.seq - checked)
  let position: Position | undefined = start === 0 ? genesis(firstEpoch) : undefined
  for (const entries of statements.entriesAfter(Math.max(0, start - 1))) {
    for (const entry of entries) {
      if (position && !continues(position, entry)) return `entry ${entry.seq} does not continue the one before it`
      // An epoch that is opened after the first entry to be checked shows; before it, the head is all there is to go by.
      position = positionAfter(position ?? head, entry)
    }
  }
  if (position && position.epoch !== head.epoch) return 'its head names another epoch'
  const last = position?.seq ?? 0
  return last === head.seq && position?.hash === head.hash
    ? undefined
    : `its head says ${head.seq}, its last entry ${last}`
}
