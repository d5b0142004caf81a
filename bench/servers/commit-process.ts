import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { LoadResult } from '../load/drive.ts'

/** A process that commits single rows to a database of its own. */
export interface CommitProcess {
  /** Commits one row after the other for about so long. */
  commitFor(durationMs: number): Promise<LoadResult>
  stop(): Promise<void>
}

/** @param folder where the database is made */
export function startCommits(folder: string): CommitProcess {
  const child = fork(join(import.meta.dirname, 'reference-commits.ts'), [join(folder, 'commits.db')])
  return {
    commitFor: async (durationMs) => {
      const answered = once(child, 'message')
      child.send(durationMs)
      const [result] = (await Promise.race([answered, ended()])) as [LoadResult]
      return result
    },
    stop: async () => {
      if (child.exitCode !== null) return
      const exited = once(child, 'exit')
      child.disconnect()
      await exited
    },
  }

  async function ended(): Promise<never> {
    await once(child, 'exit')
    throw new Error('The process of the bare commits ended')
  }
}
