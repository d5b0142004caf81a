import type { DatabaseSync } from 'node:sqlite'

/** Runs `work` in a transaction of its own: all of it is committed, or nothing and the error goes on. */
export function inTransaction(db: DatabaseSync, work: () => void): void {
  db.exec('BEGIN IMMEDIATE')
  try {
    work()
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}
