import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { createUuidV7Source, isUuid } from '@rescind/protocol'
import fc from 'fast-check'

test('ids are lower-case UUIDs and nothing else', () => {
  const id = randomUUID()
  assert.ok(isUuid(id))
  for (const value of [`{${id}}`, `${id}\n`, ` ${id}`, id.replaceAll('-', ''), '', null, undefined, 1, [id]]) {
    assert.ok(!isUuid(value))
  }
  assert.ok(!isUuid('ABCDEF00-0000-4000-8000-000000000000'))
})

test('record ids are UUIDs of version 7, each greater than the one before, whatever the clock does', () => {
  const steps = fc.array(fc.integer({ min: -3, max: 100_000 }), { minLength: 1, maxLength: 50 })
  fc.assert(
    fc.property(steps, (times) => {
      let nowMs = 1_700_000_000_000
      const newId = createUuidV7Source({ nowMs: () => nowMs }, randomUUID)
      let last = ''
      for (const step of times) {
        nowMs += step
        const id = newId()
        assert.match(id, /^[0-9a-f-]{14}7[0-9a-f]{3}-[89ab]/)
        assert.ok(isUuid(id) && id > last)
        last = id
      }
    }),
    { seed: 1 },
  )
})

test('more ids than one millisecond has room for go on into the next one', () => {
  const newId = createUuidV7Source({ nowMs: () => 1000 }, randomUUID)
  const ids = Array.from({ length: 10_000 }, newId)
  assert.deepEqual(ids, ids.toSorted())
  assert.equal(new Set(ids).size, ids.length)
})
