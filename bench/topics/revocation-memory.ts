import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { RevocationSet } from '../../packages/verifier/revocation-set.ts'
import { barText, type Row, reaches } from '../report/row.ts'

const REVOKED = 1_000_000
const ISSUED = 10_000_000
const BAR = { atMost: 4_000_000 }

/**
 * What a verifier's knowledge of a million revoked tokens weighs, spread at random over ten million issued. To be called
 * while this process holds little else.
 *
 * @throws Error when something else was freed meanwhile
 */
export function revocationMemory(): Row {
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
  return {
    what: '1 M revoked of 10 M issued, memory',
    figure: megabytes(bytes),
    bar: barText(BAR, megabytes),
    passed: reaches(bytes, BAR),
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(2)} MB`
}
