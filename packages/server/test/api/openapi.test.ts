import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { after, test } from 'node:test'
import { ERRORS, type ErrorCode, REJECTION_REASONS } from '@rescind/protocol'
import { Validator } from '@seriousme/openapi-schema-validator'
import { SUCCESS_CODES } from '../../http/success-codes.ts'
import { runService } from '../service/running-service.ts'

const DOCS = resolve(import.meta.dirname, '../../../../docs')

/** Refusals that come before, or instead of, an operation. */
const OF_NO_OPERATION: readonly ErrorCode[] = [
  'route_not_found',
  'method_not_allowed',
  'request_timeout',
  'upgrade_required',
  'headers_too_large',
  'internal',
]

interface Operation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required: boolean }[]
  readonly requestBody?: { readonly required?: boolean }
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content: object }>>
}

const service = await runService({ after })
const served = await service.call('GET', '/openapi.json', { token: null, business: null })
const { paths, components, openapi } = served.json
const operations = Object.entries<Record<string, Operation>>(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
)
const errorsPage = readFileSync(join(DOCS, 'errors.md'), 'utf8')

test('the committed document is the one that is served; `npm run openapi` writes it anew', (t) => {
  assert.equal(served.status, 200)
  t.assert.fileSnapshot(served.json, join(DOCS, 'openapi.json'), {
    serializers: [(document: unknown) => `${JSON.stringify(document, null, 2)}\n`],
  })
})

test('the document is valid OpenAPI 3.1', async () => {
  assert.match(openapi, /^3\.1\./)
  const { valid, errors } = await new Validator().validate(structuredClone(served.json))
  assert.ok(valid, JSON.stringify(errors))
})

test('operation ids, tags and schema names are those of the contract', () => {
  const tokens = '/api/v1/tokens'
  for (const [method, path, operationId] of [
    ['post', tokens, 'create_token_api_v1_tokens_post'],
    ['get', tokens, 'list_tokens_api_v1_tokens_get'],
    ['post', `${tokens}/{token_id}/revoke`, 'revoke_token_api_v1_tokens__token_id__revoke_post'],
  ] as const) {
    assert.equal(paths[path][method].operationId, operationId)
    assert.deepEqual(paths[path][method].tags, ['api-tokens'])
  }
  for (const name of [
    'SuccessEnvelope_APITokenRevokeResponse_',
    'APITokenRevokeResponse',
    'APITokenRevokeRequest',
    'APITokenCreate',
    'APITokenResponse',
    'HTTPValidationError',
    'ValidationError',
  ]) {
    assert.ok(components.schemas[name], name)
  }
  const ids = operations.map(({ operation }) => operation.operationId)
  assert.equal(new Set(ids).size, ids.length)
})

test('the revoke endpoint is described as its reference page does', () => {
  const revoke: Operation = paths['/api/v1/tokens/{token_id}/revoke'].post
  for (const status of ['201', '400', '401', '403', '404', '422']) assert.ok(revoke.responses[status], status)
  assert.notEqual(revoke.requestBody?.required, true)
  assert.ok(revoke.parameters?.some((each) => each.name === 'token_id' && each.in === 'path' && each.required))
  const { ValidationError } = components.schemas
  assert.deepEqual(ValidationError.required.toSorted(), ['loc', 'msg', 'type'])
  assert.deepEqual(Object.keys(ValidationError.properties), ['loc', 'msg', 'type', 'input', 'ctx'])
  assert.deepEqual(Object.keys(components.schemas.APITokenRevokeResponse.properties), [
    'id',
    'jti',
    'name',
    'revoked_at',
    'revoked_by',
    'revocation_reason',
  ])
})

test('every refusal of the table is in the document under its status, and no other is', () => {
  const declared = new Set<string>()
  for (const { path, operation } of operations) {
    if (!path.startsWith('/api/')) continue
    for (const [status, { description }] of Object.entries(operation.responses)) {
      if (Number(status) < 400 || status === '422') continue
      for (const [, sentence] of description.matchAll(/^- (.*)$/gm)) declared.add(`${status} ${sentence}`)
    }
  }
  const table = Object.entries(ERRORS)
    .filter(([code]) => !OF_NO_OPERATION.some((each) => each === code))
    .map(([, { status, detail }]) => `${status} ${detail}`)
  assert.deepEqual([...declared].toSorted(), table.toSorted())
})

test('every success code is in the document with its meaning, and no other is', () => {
  const declared = new Set<string>()
  for (const { path, operation } of operations) {
    if (!path.startsWith('/api/')) continue
    const success = operation.responses['200'] ?? operation.responses['201']
    // A file has no code.
    if (!('application/json' in (success?.content ?? {}))) continue
    const codes = [...(success?.description ?? '').matchAll(/^- `(\w+)`: (.*)$/gm)]
    assert.ok(codes.length > 0, operation.operationId)
    for (const [, code, meaning] of codes) declared.add(`${code} ${meaning}`)
  }
  const table = Object.entries(SUCCESS_CODES).map(([code, meaning]) => `${code} ${meaning}`)
  assert.deepEqual([...declared].toSorted(), table.toSorted())
})

test('docs/errors.md lists every success code, refusal and rejection reason, and no other', () => {
  const successes = Object.entries(SUCCESS_CODES).map(([code, meaning]) => [code, meaning])
  assert.deepEqual(rowsOf('Success'), successes)
  const refusals = Object.entries(ERRORS).map(([code, { status, detail }]) => [code, `${status}`, detail])
  assert.deepEqual(rowsOf('Refusal'), refusals)
  assert.deepEqual(
    rowsOf('Verdict').map(([reason]) => reason),
    [...REJECTION_REASONS],
  )
})

/** The rows of the table in a section of the page, without the head and without backticks. */
function rowsOf(title: string): string[][] {
  const section = errorsPage.split(/^## /m).find((text) => text.startsWith(title)) ?? ''
  const rows = [...section.matchAll(/^\| (`.*) \|$/gm)]
  return rows.map(([, row = '']) => row.split(' | ').map((cell) => cell.replaceAll('`', '').trim()))
}
