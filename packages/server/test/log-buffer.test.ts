import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LogBuffer } from '../log-buffer.ts'

function setUp() {
  const written: string[] = []
  const scheduled: (() => void)[] = []
  const buffer = new LogBuffer({
    writeOut: (lines) => void written.push(lines),
    schedule: (flush) => void scheduled.push(flush),
  })
  return { buffer, written, scheduled }
}

test('lines are written together, in order, when the time has come', () => {
  const { buffer, written, scheduled } = setUp()
  buffer.write('a\n')
  buffer.write('b\n')
  assert.deepEqual(written, [])
  assert.equal(scheduled.length, 1)
  scheduled[0]?.()
  assert.deepEqual(written, ['a\nb\n'])
  buffer.write('c\n')
  assert.equal(scheduled.length, 2)
  buffer.flush()
  scheduled[1]?.()
  assert.deepEqual(written, ['a\nb\n', 'c\n'])
})

test('a full batch does not wait', () => {
  const { buffer, written } = setUp()
  const line = `${'x'.repeat(1023)}\n`
  for (let count = 0; count < 17; count += 1) buffer.write(line)
  assert.deepEqual(written, [line.repeat(16)])
})
