import { join } from 'node:path'

/**
 * Filled by processes that end in order, or say so, and read by the others: most of what starting one costs is compiling.
 * Where there is one already, as under tests, it is that one.
 *
 * @param folder of the run
 */
export function compileCache(folder: string): string {
  return process.env.NODE_COMPILE_CACHE ?? join(folder, 'compile-cache')
}
