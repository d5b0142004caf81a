/** True for a non-negative integer that a JavaScript number holds exactly: an index, a sequence number, a time. */
export function isNatural(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
