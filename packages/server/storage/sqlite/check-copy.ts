import { existsSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import type { Position } from '@rescind/protocol'
import { head } from '../sql/revocation-log.ts'
import { StorageRefused } from '../storage.ts'
import { checkLog } from './check-log.ts'
import { refuseNewer, schemaAt, schemaVersion } from './migrations.ts'
import { PreparedStatements } from './prepared-statements.ts'

/** What a copy of the database holds. */
export interface CheckedCopy {
  /** Everything up to here. */
  readonly head: Position
  /** When something was last changed, in milliseconds since the epoch, by the clock of who changed it. */
  readonly lastChangeMs: number
}

/** Each finds rows that contradict each other; none may be found. */
const CONTRADICTIONS: Readonly<Record<string, string>> = {
  'a row refers to one that is missing': 'SELECT 1 FROM pragma_foreign_key_check',
  'an index is used that the counter has not reached':
    'SELECT 1 FROM tokens WHERE idx >= (SELECT next_idx FROM idx_counter)',
  'a token is not revoked that the log revokes': `SELECT 1 FROM revocation_log AS log WHERE kind = 'token_revoked' AND NOT EXISTS (
      SELECT 1 FROM token_status WHERE idx = json_extract(log.body, '$[1]') AND revoked_seq <= log.seq)`,
  'a bulk revocation of the log is missing': `SELECT 1 FROM revocation_log AS log
      WHERE kind IN ('business_revoked', 'member_revoked', 'key_retired')
      AND NOT EXISTS (SELECT 1 FROM bulk_revocations WHERE seq = log.seq)`,
  'a key is in use that the log retires': `SELECT 1 FROM revocation_log AS log JOIN signing_keys
      ON kid = json_extract(log.body, '$[1]') WHERE kind = 'key_retired' AND retired_at_ms IS NULL`,
}

/**
 * Looks at a copy of the database that nobody has open, from end to end: that it is whole, that everything is in place
 * which makes the database refuse what must never happen, that its log is one chain, and that its tables say what the log
 * says. Changes nothing.
 *
 * @throws StorageRefused when it is not so, or a newer version wrote it
 */
export function checkCopy(path: string): CheckedCopy {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) throw new StorageRefused(`There is no file ${path}.`)
  if (existsSync(`${path}-wal`)) {
    throw new StorageRefused(
      `The file ${path} is a database that was not closed: part of it is in ${path}-wal. Make backups with \`rescind backup\`.`,
    )
  }
  try {
    return checkDatabase(path)
  } catch (cause) {
    if (cause instanceof StorageRefused) throw cause
    throw new StorageRefused(`The file ${path} is damaged or is no backup of Rescind.`, { cause })
  }
}

function checkDatabase(path: string): CheckedCopy {
  const address = pathToFileURL(path)
  // Nobody writes to it, so no lock and no log of writes is needed beside it.
  address.search = '?immutable=1'
  const db = new DatabaseSync(address, { readOnly: true })
  try {
    const problem = findProblem(db)
    if (problem) throw new StorageRefused(`The file ${path} is no sound backup: ${problem}.`)
    const statements = new PreparedStatements(db)
    checkLog(statements, path, Number.POSITIVE_INFINITY)
    const lastChangeMs = Number(db.prepare('SELECT max(at_ms) AS at_ms FROM audit_events').get()?.at_ms ?? 0)
    return { head: statements.run(head, {}), lastChangeMs }
  } finally {
    db.close()
  }
}

function findProblem(db: DatabaseSync): string | undefined {
  const [{ integrity_check: integrity } = {}] = db.prepare('PRAGMA integrity_check(1)').all()
  if (integrity !== 'ok') return String(integrity)
  const version = schemaVersion(db)
  refuseNewer(version)
  if (JSON.stringify(schemaOf(db)) !== JSON.stringify(schemaOf(schemaAt(version)))) {
    return 'its tables, or the triggers that guard them, are not those of any version'
  }
  return Object.keys(CONTRADICTIONS).find((what) => db.prepare(`${CONTRADICTIONS[what]} LIMIT 1`).get() !== undefined)
}

function schemaOf(db: DatabaseSync): unknown {
  return db.prepare(`SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name`).all()
}
