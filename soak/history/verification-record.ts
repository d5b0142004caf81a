import { OUTCOMES, type Verification } from './verification.ts'

/** A verification as bytes: when it began and ended (doubles), the token (32 bits), the outcome, and a mark. */
export const RECORD_BYTES = 24

/** Ends each record: what is damaged in the middle of a file is not taken for verifications. */
const MARK = 0x50a4ed

export function writeRecord(
  bytes: Buffer,
  at: number,
  record: Omit<Verification, 'outcome'> & { readonly place: number },
): void {
  bytes.writeDoubleLE(record.beganNs, at)
  bytes.writeDoubleLE(record.endedNs, at + 8)
  bytes.writeUInt32LE(record.token, at + 16)
  bytes.writeUInt32LE(MARK * 0x100 + record.place, at + 20)
}

/** @throws Error when no record is there */
export function readRecord(bytes: Buffer, at: number): Verification {
  const marked = bytes.readUInt32LE(at + 20)
  const outcome = OUTCOMES[marked % 0x100]
  if (Math.floor(marked / 0x100) !== MARK || outcome === undefined) throw new Error('A record is damaged')
  return {
    token: bytes.readUInt32LE(at + 16),
    beganNs: bytes.readDoubleLE(at),
    endedNs: bytes.readDoubleLE(at + 8),
    outcome,
  }
}
