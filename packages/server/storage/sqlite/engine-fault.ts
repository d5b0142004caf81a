/**
 * Primary result codes that blame the statement and not the engine: error, too big, constraint (a trigger's refusal
 * included), mismatch, range (https://www.sqlite.org/rescode.html). After these the transaction is intact.
 */
const STATEMENT_FAULTS = new Set([1, 18, 19, 20, 25])

/** True for a fault of the database engine or what it stands on (disk full, read-only, I/O, corruption): whatever was running cannot be trusted to be whole. */
export function isEngineFault(error: unknown): boolean {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return false
  return !STATEMENT_FAULTS.has(error.errcode & 0xff)
}
