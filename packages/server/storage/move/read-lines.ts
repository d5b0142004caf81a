import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'

/** Some lines of a file: any number that are not the last, or the last with the SHA-256 of every byte before it. */
export type SomeLines =
  | { readonly lines: readonly string[]; readonly last: undefined }
  | { readonly last: string; readonly sha256: string }

/** Bytes read at a time. */
const CHUNK = 1024 * 1024

/** No line of a file that is meant is near so long, in bytes. */
const LONGEST_LINE = 16 * 1024 * 1024

const NEWLINE = 0x0a

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The file is none that consists of lines. */
export class NotLines extends Error {
  override readonly name = 'NotLines'
}

/**
 * Reads a file of lines, each with a newline at its end, without ever holding more than some of it.
 *
 * @throws NotLines when it is not UTF-8, has a line beyond all measure, or does not end with a newline
 */
export async function* readLines(path: string): AsyncGenerator<SomeLines, void, void> {
  const digest = createHash('sha256')
  // From the beginning of the last line that is complete: until another one is, it may be the last of all.
  let held = Buffer.alloc(0)
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK })) {
    const bytes = Buffer.concat([held, chunk])
    const end = lastLineStart(bytes)
    if (end > 0) {
      const text = decode(bytes.subarray(0, end))
      digest.update(bytes.subarray(0, end))
      yield { lines: text.slice(0, -1).split('\n'), last: undefined }
    }
    held = bytes.subarray(end)
    if (held.length > 2 * LONGEST_LINE) throw new NotLines('A line is too long.')
  }
  if (held.at(-1) !== NEWLINE) throw new NotLines('The last line has no end.')
  yield { last: decode(held).slice(0, -1), sha256: digest.digest('hex') }
}

/** Where the last line begins that has an end, if it is not the first. */
function lastLineStart(bytes: Buffer): number {
  const lastEnd = bytes.lastIndexOf(NEWLINE)
  return lastEnd <= 0 ? 0 : bytes.lastIndexOf(NEWLINE, lastEnd - 1) + 1
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new NotLines('It is not UTF-8.', { cause })
  }
}
