const UNFINISHED = '.part'

/** What the file of an export is called until nothing goes on beside it: its database is closed, and it is complete. */
export function unfinishedExport(path: string): string {
  return path + UNFINISHED
}

export function isUnfinishedExport(path: string): boolean {
  return path.endsWith(UNFINISHED)
}
