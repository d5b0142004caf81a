import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { issued } from '../service/provisioning.ts'
import { runService } from '../service/running-service.ts'

/** A request, and what a FastAPI server answered to it. */
interface Case {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly status: number
  /** `null` where only the status was recorded. */
  readonly response?: { readonly detail: readonly Detail[] } | null
}

interface Detail {
  readonly type: string
  readonly loc: readonly (string | number)[]
  readonly msg: string
}

const { cases }: { cases: readonly Case[] } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../contract/validation-cases.json'), 'utf8'),
)

const service = await runService({ after }, { maxActiveTokens: 1000 })

test('the recorded cases are all there', () => {
  assert.equal(cases.length, 70)
  assert.equal(new Set(cases.map(({ id }) => id)).size, cases.length)
})

for (const { id, method, path, headers, body, status, response } of cases) {
  test(`the answer to ${id} is the recorded one`, async () => {
    const target = path.includes('{token_id}') ? await newTokenId() : ''
    const answered = await service.call(method, path.replace('{token_id}', target), {
      headers,
      // Bytes: `fetch` would give a text a content type of its own.
      ...(body !== undefined && { body: new TextEncoder().encode(body) }),
    })
    assert.equal(answered.status, status, answered.text)
    if (response) assert.deepEqual(comparable(answered.json), comparable(response))
    else if (status < 300) assert.equal(answered.json.success, true)
  })
}

async function newTokenId(): Promise<string> {
  return issued(await service.call('POST', '/api/v1/tokens', { json: { name: 'target' } })).id
}

/** Where the text is no JSON, only what kind of error it is and in what part counts, not which character. */
function comparable({ detail, ...rest }: { readonly detail: readonly Detail[] }) {
  return {
    ...rest,
    detail: detail.map((entry) => {
      const { type, msg, loc } = entry
      return type === 'json_invalid' ? { type, msg, part: loc[0] } : entry
    }),
  }
}
