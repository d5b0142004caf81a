import { genesis, type Instant, nextEntry, type Position } from '@rescind/protocol'
import { decodeSnapshot, encodeSnapshot } from '../../packages/verifier/core/snapshot.ts'

/**
 * The size of the instance. Time passes in whole units, the same on every clock, and every state is kept relative to the
 * present: now is always zero, and what is further back than a lease is one lease back.
 */
export const UNIT_MS = 10_000
export const LEASE_MS = 30_000
export const NOW: Instant = { monotonicMs: 0, wallMs: 0 }

const EPOCH = '6f0b8b0e-7c1d-4a53-9d0c-2f4f4d1c7a11'

const GENESIS = genesis(EPOCH)

/** The revocation. */
export const ENTRY = nextEntry(GENESIS, { kind: 'token_revoked', idx: 0 }, 0)

const POSITIONS: readonly Position[] = [GENESIS, { epoch: EPOCH, seq: ENTRY.seq, hash: ENTRY.hash }]

/** What the log is when it has `seq` entries. */
export function positionAt(seq: number): Position {
  const position = POSITIONS[seq]
  if (position === undefined) throw new RangeError(`The log of this instance has no entry ${seq}`)
  return position
}

const SNAPSHOTS = POSITIONS.map((position) =>
  encodeSnapshot({ position, formerEpochs: [], keys: [], bulkEntries: [], pages: [] }),
)

/** The bytes say where they lead, and nothing else: what is revoked there is known. */
export function snapshotAt(seq: number): { readonly bytes: Uint8Array; readonly sha256: string } {
  const snapshot = SNAPSHOTS[seq]
  if (snapshot === undefined) throw new RangeError(`The log of this instance has no entry ${seq}`)
  return snapshot
}

/** The installation, as the welcome of every connection describes it. */
export const WELCOME = {
  type: 'welcome',
  epoch: EPOCH,
  issuer: 'https://rescind.test',
  tokenPrefix: 'dz_',
  leaseMs: LEASE_MS,
} as const

// A snapshot that could not be read would make every run pass.
for (const [seq, { bytes }] of SNAPSHOTS.entries()) {
  if (decodeSnapshot(bytes)?.position.seq !== seq) throw new Error('A snapshot of this instance cannot be read')
}
