/**
 * The least a durable write can be, to compare with: one row, one commit, WAL and `synchronous=FULL`.
 *
 * Argument: the database file. Told a duration in milliseconds, it commits for that long and answers with the figures.
 */
import { DatabaseSync } from 'node:sqlite'
import type { LoadResult } from '../load/drive.ts'
import { latency } from '../report/statistics.ts'

const [file = ''] = process.argv.slice(2)
const db = new DatabaseSync(file)
db.exec(
  'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE line (id INTEGER PRIMARY KEY, at_ms INTEGER)',
)
const insert = db.prepare('INSERT INTO line (at_ms) VALUES (?)')

process.on('message', (durationMs: number) => process.send?.(commitFor(durationMs)))
process.on('disconnect', () => db.close())

function commitFor(durationMs: number): LoadResult {
  const latenciesMs: number[] = []
  const startedMs = performance.now()
  let nowMs = startedMs
  while (nowMs - startedMs < durationMs) {
    insert.run(Date.now())
    const endedMs = performance.now()
    latenciesMs.push(endedMs - nowMs)
    nowMs = endedMs
  }
  return {
    requests: latenciesMs.length,
    perSecond: (latenciesMs.length / (nowMs - startedMs)) * 1000,
    ...latency(latenciesMs),
  }
}
