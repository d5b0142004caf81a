import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InForceAnswers } from '../load/in-force-answers.ts'
import { ResponseParser } from '../load/response-parser.ts'

function answer(applied: number, waitedOut: number, timing = 'commit;dur=0.300, enforce;dur=1.200'): string {
  const fields = [`rescind-applied: ${applied}`, `rescind-waited-out: ${waitedOut}`, `server-timing: ${timing}`]
  return `HTTP/1.1 201 Created\r\n${fields.join('\r\n')}\r\ncontent-length: 0\r\n\r\n`
}

/** As they come out of a connection. */
function headOf(response: string): string {
  let found = ''
  new ResponseParser((_status, _body, head) => {
    found = head
  }, false).push(Buffer.from(response))
  return found
}

test('an answer that somebody attached had not applied, or was waited out for, fails the load', () => {
  const answers = new InForceAnswers(8)
  answers.add(headOf(answer(8, 0)))
  assert.throws(() => answers.add(headOf(answer(7, 0))), /Of 8 verifiers, 7 had applied/)
  assert.throws(() => answers.add(headOf(answer(9, 0))), /9 had applied/)
  assert.throws(() => answers.add(headOf(answer(8, 1))), /1 were waited out/)
  assert.throws(() => answers.add('HTTP/1.1 201 Created\r\ncontent-length: 0'), /undefined had applied/)
})

test('how long it took is what the answers say', () => {
  const answers = new InForceAnswers(1)
  for (const ms of [3, 1, 2]) answers.add(headOf(answer(1, 0, `commit;dur=${ms}.5, enforce;dur=0.${ms}`)))
  assert.deepEqual(answers.parts(), { commit: { p50Ms: 2.5, p99Ms: 3.5 }, enforce: { p50Ms: 0.2, p99Ms: 0.3 } })
})
