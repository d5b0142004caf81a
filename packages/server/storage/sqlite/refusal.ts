import { StorageRefused } from '../storage.ts'

const NOT_A_FOLDER = (dataDir: string) => `The data folder ${dataDir} is not a folder.`
const NOT_WRITABLE = (dataDir: string) =>
  `The data folder ${dataDir} cannot be written to; check its permissions and whether its disk is mounted read-only.`
const NO_SPACE = (dataDir: string) => `The disk of the data folder ${dataDir} is full; make room and start again.`
const DAMAGED = (dataDir: string) =>
  `The database in ${dataDir} is damaged or is not a database; restore it from a backup.`
const IN_USE = (dataDir: string) => `The database in ${dataDir} is in use by another process.`
const FAULTY = (dataDir: string) => `The disk of the data folder ${dataDir} fails to read or write.`

/** By error code of the operating system. */
const SYSTEM: Record<string, (dataDir: string) => string> = {
  ENOTDIR: NOT_A_FOLDER,
  EEXIST: NOT_A_FOLDER,
  EACCES: NOT_WRITABLE,
  EPERM: NOT_WRITABLE,
  EROFS: NOT_WRITABLE,
  // What a missing folder below a read-only mount gives, instead of EROFS.
  ENOENT: NOT_WRITABLE,
  ENOSPC: NO_SPACE,
  EDQUOT: NO_SPACE,
  EIO: FAULTY,
}

/** By primary result code of SQLite (https://www.sqlite.org/rescode.html). */
const ENGINE: Record<number, (dataDir: string) => string> = {
  5: IN_USE,
  8: NOT_WRITABLE,
  10: FAULTY,
  11: DAMAGED,
  13: NO_SPACE,
  14: NOT_WRITABLE,
  26: DAMAGED,
}

/** What to throw when opening failed with `error`: a sentence for a person where the cause is theirs to mend, else the error itself. */
export function refusal(error: unknown, dataDir: string): unknown {
  if (!(error instanceof Error) || error instanceof StorageRefused) return error
  const sentence =
    'errcode' in error && typeof error.errcode === 'number'
      ? ENGINE[error.errcode & 0xff]
      : 'code' in error && typeof error.code === 'string'
        ? SYSTEM[error.code]
        : undefined
  return sentence ? new StorageRefused(sentence(dataDir), { cause: error }) : error
}
