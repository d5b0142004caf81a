import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ERRORS, type ErrorCode, Unavailable } from '@rescind/protocol'

const codes = Object.keys(ERRORS) as ErrorCode[]

test('every refusal has an error status, a sentence for the client and a cause for the log', () => {
  for (const code of codes) {
    const { status, detail, log } = ERRORS[code]
    assert.match(code, /^[a-z_]+$/)
    assert.ok(status >= 400 && status < 600, code)
    assert.match(detail, /^[A-Z].*[^.]$/)
    assert.notEqual(log, '')
  }
})

test('one cause is told from another in the log', () => {
  assert.equal(new Set(codes.map((code) => ERRORS[code].log)).size, codes.length)
})

test('there is a single 401, so that its answer tells nothing about the cause', () => {
  assert.deepEqual(
    codes.filter((code) => ERRORS[code].status === 401),
    ['not_authenticated'],
  )
  assert.equal(ERRORS.not_authenticated.detail, 'Not authenticated')
})

test('unavailability names its row of the table and keeps its cause', () => {
  const cause = new Error('disk gone')
  const fault = new Unavailable('storage_unavailable', { cause })
  assert.equal(fault.code, 'storage_unavailable')
  assert.equal(fault.cause, cause)
  assert.equal(fault.name, 'Unavailable')
})
