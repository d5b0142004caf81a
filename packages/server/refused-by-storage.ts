import { StartRefused } from './start-refused.ts'
import { StorageRefused } from './storage/storage.ts'

/** What the storage refuses, as the refusal of a start: a person has to mend it. */
export async function refusedByStorage<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof StorageRefused ? new StartRefused(error.message, { cause: error }) : error
  }
}
