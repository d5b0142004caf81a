import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { isUuid, uuidV7 } from '@rescind/protocol'
import fc from 'fast-check'

test('ids are lower-case UUIDs and nothing else', () => {
  const id = randomUUID()
  assert.ok(isUuid(id))
  for (const value of [`{${id}}`, `${id}\n`, ` ${id}`, id.replaceAll('-', ''), '', null, undefined, 1, [id]]) {
    assert.ok(!isUuid(value))
  }
  assert.ok(!isUuid('ABCDEF00-0000-4000-8000-000000000000'))
})

test('record ids are UUIDs of version 7 that sort by time', () => {
  const time = fc.nat({ max: 2 ** 31 }).map((n) => n * 100_000)
  fc.assert(
    fc.property(time, time, (a, b) => {
      const [first, second] = [uuidV7(a, randomBytes(10)), uuidV7(b, randomBytes(10))]
      for (const id of [first, second]) assert.match(id, /^[0-9a-f-]{14}7[0-9a-f]{3}-[89ab]/)
      assert.ok(isUuid(first) && isUuid(second))
      if (a !== b) assert.equal(first < second, a < b)
    }),
    { seed: 1 },
  )
})
