import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeApi } from '../../http/openapi/describe-api.ts'
import { sampleRoutes } from './fixture.ts'

const document = describeApi(sampleRoutes, { title: 'Sample', version: '1.2.3', description: 'Sample routes' })
/** Reads the document at a path of keys. */
function at(...keys: string[]): unknown {
  let place: unknown = document
  for (const key of keys) place = (place as Record<string, unknown>)[key]
  return place
}
const revoke = ['paths', '/api/v1/tokens/{token_id}/revoke', 'post'] as const

test('an optional body is null or the request, and is not required', () => {
  assert.deepEqual(at(...revoke, 'requestBody'), {
    content: {
      'application/json': {
        schema: {
          anyOf: [{ $ref: '#/components/schemas/APITokenRevokeRequest' }, { type: 'null' }],
          title: 'Body',
        },
      },
    },
  })
  assert.equal((at('paths', '/api/v1/tokens', 'post', 'requestBody') as { required: boolean }).required, true)
})

test('every answer of the reference is there', () => {
  const statuses = Object.keys(at(...revoke, 'responses') as object)
  for (const status of ['201', '400', '401', '403', '422']) assert.ok(statuses.includes(status), status)
  assert.deepEqual(at(...revoke, 'responses', '422', 'content', 'application/json', 'schema'), {
    $ref: '#/components/schemas/HTTPValidationError',
  })
})

test('a refusal that a client acts on by a header names it', () => {
  const headers = (status: string) => {
    const answer = at(...revoke, 'responses', status) as { headers?: object }
    return Object.keys(answer.headers ?? {})
  }
  assert.deepEqual(headers('401'), ['WWW-Authenticate'])
  assert.deepEqual(headers('503'), ['Retry-After'])
  assert.deepEqual(headers('403'), [])
})

test('schemas with a title are components, others are shown in place', () => {
  assert.deepEqual(at('components', 'schemas', 'APITokenRevokeRequest'), {
    type: 'object',
    properties: { reason: { anyOf: [{ type: 'string', maxLength: 500 }, { type: 'null' }], title: 'Reason' } },
    title: 'APITokenRevokeRequest',
  })
  assert.deepEqual(Object.keys(at('components', 'schemas') as object), [
    'APITokenCreate',
    'APITokenRevokeRequest',
    'Echo',
    'ErrorDetail',
    'HTTPValidationError',
    'SampleSave',
    'SuccessEnvelope_Echo_',
    'ValidationError',
  ])
})

test('the headers are parameters: the business required unless the path has it', () => {
  const header = (path: string, method: string) =>
    (at('paths', path, method, 'parameters') as { name: string; in: string; required: boolean }[])
      .filter((parameter) => parameter.in === 'header')
      .map(({ name, required }) => [name, required])
  assert.deepEqual(header('/api/v1/tokens', 'get'), [
    ['x-business-id', true],
    ['x-user-email', false],
  ])
  assert.deepEqual(header('/api/v1/businesses/{business_id}', 'put')[0], ['x-business-id', false])
})

test('two different schemas cannot have one name', () => {
  const [route] = sampleRoutes
  assert.ok(route)
  const other = { ...route, method: 'PUT' as const, body: { ...route.body, title: 'Echo' } }
  assert.throws(() => describeApi([route, other], document.info), /two different schemas are named Echo/)
})
