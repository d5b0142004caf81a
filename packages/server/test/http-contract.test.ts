import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { asOwner, type Running, send, startApp, TOKEN_ID, validationErrors } from './http-fixture.ts'

interface Case {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly status: number
  readonly response: { readonly detail: readonly Record<string, unknown>[] } | null
  readonly body?: string | null
}

const file = new URL('./contract/validation-cases.json', import.meta.url)
const { cases }: { cases: readonly Case[] } = JSON.parse(readFileSync(file, 'utf8'))

let running: Running
before(async () => {
  running = await startApp()
})
after(() => running.close())

test('there are cases to check', () => assert.equal(cases.length, 70))

for (const { id, method, path, headers, status, response, body } of cases) {
  test(`validation is answered as FastAPI does: ${id}`, async () => {
    const received = await send(running.port, {
      method,
      path: path.replace('{token_id}', TOKEN_ID),
      headers: { ...headers, ...asOwner },
      body: body ?? undefined,
    })
    assert.equal(received.status, status, received.text)
    if (response === null) return
    const [first] = response.detail
    if (first?.type !== 'json_invalid') {
      assert.deepEqual(received.json, response)
      return
    }
    // Only type, message and the first place are binding; the place and the words are Python's all the same.
    assert.deepEqual(validationErrors(received), [first])
  })
}

test('NaN is refused at the field it stands in', async () => {
  const received = await send(running.port, {
    method: 'POST',
    path: '/api/v1/tokens',
    headers: { ...asOwner, 'content-type': 'application/json' },
    body: '{"name":"a","expires_in_days":NaN}',
  })
  assert.deepEqual(validationErrors(received), [
    {
      type: 'finite_number',
      loc: ['body', 'expires_in_days'],
      msg: 'Input should be a finite number',
      input: 'NaN',
    },
  ])
})
