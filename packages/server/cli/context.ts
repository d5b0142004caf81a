import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import type { ExitCode } from './exit-codes.ts'

/** The outside world as the commands see it. */
export interface Context {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly fetch: typeof globalThis.fetch
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
  /** Everything up to the end of standard input. */
  readonly readStdin: () => Promise<string>
  readonly readFile: (path: string) => Promise<string>
  /** A new UUID v4. */
  readonly randomUuid: () => string
  /** Names the code that the process ends with, once nothing is left to do. */
  readonly exit: (code: ExitCode) => void
}

export function processContext(): Context {
  // A reader such as `head` that closes the pipe early wants no more; that is no failure of the command.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  return {
    env: process.env,
    fetch: globalThis.fetch,
    stdout: (output) => void process.stdout.write(output),
    stderr: (output) => void process.stderr.write(output),
    readStdin: () => text(process.stdin),
    readFile: (path) => readFile(path, 'utf8'),
    randomUuid: randomUUID,
    exit: (code) => {
      process.exitCode = code
    },
  }
}
