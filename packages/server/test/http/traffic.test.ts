import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Traffic } from '../../http/traffic.ts'

test('answers that become ready in one turn leave together, in order', async () => {
  const traffic = new Traffic({ monotonicMs: () => 0, requestId: () => 'request-1', onEnd: () => {} })
  const left: string[] = []
  traffic.send(() => {
    left.push('first')
    queueMicrotask(() => left.push('what the first one set off'))
    traffic.send(() => left.push('ready too late'))
  })
  await Promise.resolve()
  traffic.send(() => left.push('second'))
  traffic.send(() => left.push('third'))
  assert.deepEqual(left, [])

  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(left, ['first', 'second', 'third', 'what the first one set off'])
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(left.at(-1), 'ready too late')
})
