import { join } from 'node:path'

/**
 * Filled by processes that end in order, or say so, and read by the others: most of what starting one costs is compiling.
 *
 * @param folder of the run
 */
export function compileCache(folder: string): string {
  return join(folder, 'compile-cache')
}
