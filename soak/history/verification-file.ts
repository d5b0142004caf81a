import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import type { Verification } from './verification.ts'
import { RECORD_BYTES, readRecord, writeRecord } from './verification-record.ts'

const BUFFERED_RECORDS = 512
const READ_RECORDS = 8_192

/**
 * Appends verifications to a file. Once {@link flush} has returned, they survive the end of the process, however it
 * comes; what was not flushed is lost with it.
 */
export class VerificationWriter {
  readonly #file: number
  readonly #buffer = Buffer.alloc(BUFFERED_RECORDS * RECORD_BYTES)
  #used = 0

  constructor(path: string) {
    this.#file = openSync(path, 'a')
  }

  append(record: Parameters<typeof writeRecord>[2]): void {
    writeRecord(this.#buffer, this.#used, record)
    this.#used += RECORD_BYTES
    if (this.#used === this.#buffer.length) this.flush()
  }

  flush(): void {
    let written = 0
    while (written < this.#used) written += writeSync(this.#file, this.#buffer, written, this.#used - written)
    this.#used = 0
  }

  close(): void {
    this.flush()
    closeSync(this.#file)
  }
}

/**
 * The verifications in a file, in the order in which they ended. The last record may be torn, as the end of a process
 * leaves it, and is left out then.
 *
 * @throws Error at a record that is damaged otherwise
 */
export function* readVerifications(path: string): Generator<Verification> {
  const file = openSync(path, 'r')
  const buffer = Buffer.alloc(READ_RECORDS * RECORD_BYTES)
  try {
    let kept = 0
    for (;;) {
      const read = readSync(file, buffer, kept, buffer.length - kept, null)
      if (read === 0) return
      const filled = kept + read
      const whole = filled - (filled % RECORD_BYTES)
      for (let at = 0; at < whole; at += RECORD_BYTES) yield readRecord(buffer, at)
      kept = buffer.copy(buffer, 0, whole, filled)
    }
  } finally {
    closeSync(file)
  }
}
