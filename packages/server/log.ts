import { type Logger, pino } from 'pino'
import type { LogLevel } from './config.ts'
import { LogBuffer } from './log-buffer.ts'

/** Longest that a line waits for others to be written with it. */
const GATHER_MS = 50

/** Characters that may wait for whoever reads the log; what exceeds them is dropped, because memory is not the log's. */
const MOST_PENDING = 16 * 1024 * 1024

/** The log of the service: JSON lines on standard error. */
export interface Log {
  readonly logger: Logger
  /** Writes what was gathered, before the process ends. */
  flush(): void
}

export function createLog(level: LogLevel): Log {
  const output = pino.destination({ dest: 2, sync: false, maxLength: MOST_PENDING })
  const buffer = new LogBuffer({
    writeOut: (lines) => output.write(lines),
    schedule: (flush) => setTimeout(flush, GATHER_MS),
  })
  return {
    logger: pino({ level, base: null }, buffer),
    flush: () => {
      buffer.flush()
      output.flushSync()
    },
  }
}
