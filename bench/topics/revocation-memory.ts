import { randomUUID } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { genesis } from '@rescind/protocol'
import { createLocalVerifier, decodeSnapshot, type LocalVerifier } from '@rescind/verifier/core'
import { RevocationSet } from '../../packages/verifier/core/revocation-set.ts'
import { encodeSnapshot, type Snapshot } from '../../packages/verifier/core/snapshot.ts'
import { barText, milliseconds, type Row, reaches } from '../report/row.ts'
import { median } from '../report/statistics.ts'

const REVOKED = 1_000_000
const ISSUED = 10_000_000
const BAR = { atMost: 4_000_000 }
const EPOCH = randomUUID()

/**
 * What a verifier's knowledge of a million revoked tokens weighs, spread at random over ten million issued: in memory
 * and as a snapshot, and how long it takes to write and to read that. To be called while this process holds little else.
 *
 * @throws Error when something else was freed meanwhile
 */
export function revocationMemory(rounds: number): Row[] {
  setFlagsFromString('--expose-gc')
  const collectGarbage: () => void = runInNewContext('gc')
  const heldBytes = () => {
    collectGarbage()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }

  const drawn = new Uint8Array(ISSUED)
  const before = heldBytes()
  const revocations = new RevocationSet()
  for (let count = 0; count < REVOKED; ) {
    const idx = Math.floor(Math.random() * ISSUED)
    if (drawn[idx] === 1) continue
    drawn[idx] = 1
    count += 1
    revocations.apply({ kind: 'token_revoked', idx })
  }
  const bytes = heldBytes() - before
  if (bytes <= 0) throw new Error('Something else was freed meanwhile: the memory cannot be told')
  // Both are used once more, so that neither was collected before.
  revocations.apply({ kind: 'token_revoked', idx: drawn.indexOf(1) })
  const what = '1 M revoked of 10 M issued'
  return [
    {
      what: `${what}, memory`,
      figure: megabytes(bytes),
      bar: barText(BAR, megabytes),
      passed: reaches(bytes, BAR),
    },
    ...snapshotRows(what, revocations, rounds),
  ]
}

function snapshotRows(what: string, revocations: RevocationSet, rounds: number): Row[] {
  const content = { position: genesis(EPOCH), formerEpochs: [], keys: [], bulkEntries: [], pages: revocations.pages() }
  const snapshot = encodeSnapshot(content)
  const encodeMs: number[] = []
  const uniteMs: number[] = []
  for (let round = -1; round < rounds; round += 1) {
    const verifier = newVerifier()
    const united = timeMs(() => unite(verifier, snapshot))
    const encoded = timeMs(() => {
      if (verifier.snapshot().sha256 !== snapshot.sha256) throw new Error('What was united is not what was encoded')
    })
    if (round < 0) continue
    uniteMs.push(united)
    encodeMs.push(encoded)
  }
  return [
    { what: `${what}, snapshot`, figure: megabytes(snapshot.bytes.length) },
    { what: '– encode', figure: milliseconds(median(encodeMs)) },
    { what: '– decode and unite', figure: milliseconds(median(uniteMs)) },
  ]
}

function unite(verifier: LocalVerifier, { bytes }: Snapshot): void {
  const decoded = decodeSnapshot(bytes)
  if (decoded === undefined) throw new Error('The snapshot cannot be read')
  verifier.unite(decoded)
}

function newVerifier(): LocalVerifier {
  return createLocalVerifier({
    issuer: 'http://127.0.0.1:8080',
    epoch: EPOCH,
    tokenPrefix: 'dz_',
    lease: { holds: () => false },
    clock: { nowMs: () => Date.now() },
  })
}

function timeMs(work: () => void): number {
  const startedMs = performance.now()
  work()
  return performance.now() - startedMs
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(2)} MB`
}
