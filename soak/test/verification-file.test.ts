import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { OUTCOMES, outcomePlace, type Verification } from '../history/verification.ts'
import { readVerifications, VerificationWriter } from '../history/verification-file.ts'
import { RECORD_BYTES } from '../history/verification-record.ts'
import { verified } from './history.ts'

/** More than are buffered at a time, on either side. */
const MANY = 20_000

function newFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'rescind-soak-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'verifier.history')
}

function written(path: string, count: number): Verification[] {
  const writer = new VerificationWriter(path)
  const records = Array.from({ length: count }, (_, each) => {
    const place = each % OUTCOMES.length
    writer.append({ token: 2 ** 32 - 1 - each, beganNs: each, endedNs: 2 ** 52 + each, place })
    return verified(2 ** 32 - 1 - each, each, 2 ** 52 + each, OUTCOMES[place] ?? assert.fail())
  })
  writer.close()
  return records
}

test('everything that was appended and flushed is read again, in order', (t) => {
  const path = newFile(t)
  const records = written(path, MANY)
  assert.deepEqual([...readVerifications(path)], records)
  assert.deepEqual([...readVerifications(path)], records)
})

test('a last record that is torn at any byte is left out, and only that', (t) => {
  const path = newFile(t)
  const records = written(path, 3)
  for (let size = 3 * RECORD_BYTES - 1; size >= 2 * RECORD_BYTES; size -= 1) {
    truncateSync(path, size)
    assert.deepEqual([...readVerifications(path)], records.slice(0, 2))
  }
})

test('what is no record is not taken for one', (t) => {
  const path = newFile(t)
  written(path, 2)
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.subarray(1))
  appendFileSync(path, bytes)
  assert.throws(() => [...readVerifications(path)], /damaged/)
})

test('a process that writes nothing leaves an empty history', (t) => {
  const path = newFile(t)
  new VerificationWriter(path).close()
  assert.deepEqual([...readVerifications(path)], [])
})

test('each verdict has a place of its own in a record', () => {
  const places = OUTCOMES.map(({ status, reason }) =>
    outcomePlace(JSON.parse(JSON.stringify({ status, reason: reason ?? undefined }))),
  )
  assert.deepEqual(places, [...OUTCOMES.keys()])
  assert.ok(OUTCOMES.length < 256)
})
