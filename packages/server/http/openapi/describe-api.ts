import { ERRORS, type ErrorCode } from '@rescind/protocol'
import { anySchema } from '../decode/json-schema.ts'
import { pathParameters } from '../path-pattern.ts'
import type { EnvelopeSuccess, Route } from '../route.ts'
import { SUCCESS_CODES } from '../success-codes.ts'
import { OpenApiSchemas, titleOf } from './openapi-schemas.ts'
import { inForceHeaders, responseHeaders } from './response-headers.ts'
import { SYSTEM_OPERATIONS } from './system-operations.ts'

interface ApiInfo {
  readonly title: string
  readonly version: string
  readonly description: string
}

/** An OpenAPI 3.1 document. */
interface OpenApiDocument {
  readonly openapi: '3.1.0'
  readonly info: ApiInfo
  readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>>
  readonly components: object
}

const SECURITY_SCHEME = 'HTTPBearer'
const UUID = { type: 'string', format: 'uuid' }

/** Refusals that any route may answer, whatever its handler does. */
const COMMON_ERRORS = [
  'bad_request',
  'business_header_missing',
  'business_header_invalid',
  'not_authenticated',
  'other_business',
  'scope_missing',
  'may_not_decide',
  'storage_unavailable',
  'draining',
] as const satisfies readonly ErrorCode[]

const STATUS_DESCRIPTIONS: Readonly<Record<number, string>> = {
  400: 'Something in the request is wrong before its content is even looked at.',
  401: 'No valid token was presented. The answer is the same whatever is wrong with it.',
  403: 'The token is valid but does not permit this.',
  404: 'What the request names does not exist, or not for this caller.',
  409: 'The request contradicts what is stored.',
  413: 'The body is too large.',
  503: 'The service cannot answer now. Try again after the seconds in `Retry-After`.',
}

/** Describes routes in the shapes that FastAPI gives the same API. */
export function describeApi(routes: readonly Route[], info: ApiInfo): OpenApiDocument {
  const schemas = new OpenApiSchemas()
  const paths: Record<string, Record<string, object>> = {}
  for (const route of routes) {
    const operations = paths[route.path] ?? {}
    operations[route.method.toLowerCase()] = operation(route, schemas)
    paths[route.path] = operations
  }
  return {
    openapi: '3.1.0',
    info,
    paths: { ...paths, ...SYSTEM_OPERATIONS },
    components: {
      schemas: schemas.components(),
      securitySchemes: { [SECURITY_SCHEME]: { type: 'http', scheme: 'bearer' } },
    },
  }
}

function operation(route: Route, schemas: OpenApiSchemas): object {
  const body = route.body === undefined ? undefined : requestBody(route, schemas)
  return {
    tags: [route.tag],
    summary: route.summary,
    description: route.description,
    operationId: route.operationId,
    security: [{ [SECURITY_SCHEME]: [] }],
    parameters: [...pathAndHeaderParameters(route), ...queryParameters(route, schemas)],
    ...(body !== undefined && { requestBody: body }),
    responses: responses(route, schemas),
  }
}

function pathAndHeaderParameters(route: Route): object[] {
  const ids = pathParameters(route.path).map((name) => {
    const schema = route.freePathIds?.includes(name) ? { type: 'string' } : UUID
    return { name, in: 'path', required: true, schema: { ...schema, title: titleOf(name) } }
  })
  const business = {
    name: 'x-business-id',
    in: 'header',
    required: route.business === 'header',
    description: 'Id of the business. An operator acting for itself leaves it out.',
    schema: { ...UUID, title: 'X-Business-Id' },
  }
  const email = {
    name: 'x-user-email',
    in: 'header',
    required: false,
    description: 'Member an operator acts for; from anyone else it is only recorded.',
    schema: { anyOf: [{ type: 'string' }, { type: 'null' }], title: 'X-User-Email' },
  }
  return [...ids, business, email]
}

function queryParameters(route: Route, schemas: OpenApiSchemas): object[] {
  if (route.query === undefined) return []
  const { properties = {}, required = [] } = anySchema(route.query)
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...schema } = schemas.property(name, property)
    return {
      name,
      in: 'query',
      required: required.includes(name) && property.default === undefined,
      ...(description !== undefined && { description }),
      schema,
    }
  })
}

function requestBody(route: Route, schemas: OpenApiSchemas): object {
  const schema = schemas.of(anySchema(route.body ?? {}))
  if (route.bodyOptional !== true) return { required: true, content: json(schema) }
  return { content: json({ anyOf: [schema, { type: 'null' }], title: 'Body' }) }
}

function responses(route: Route, schemas: OpenApiSchemas): object {
  const answers: Record<string, object> = { [route.success.status]: successAnswer(route, schemas) }
  for (const [status, codes] of refusals(route)) {
    const sentences = codes.map((code) => `- ${ERRORS[code].detail}`)
    answers[status] = {
      description: [STATUS_DESCRIPTIONS[status] ?? '', '', ...sentences].join('\n'),
      ...responseHeaders(status),
      content: json(schemas.add('ErrorDetail', ERROR_DETAIL)),
    }
  }
  if (route.query !== undefined || route.body !== undefined) {
    schemas.add('ValidationError', VALIDATION_ERROR)
    const schema = schemas.add('HTTPValidationError', HTTP_VALIDATION_ERROR)
    answers['422'] = { description: 'The query or the body does not fit its schema.', content: json(schema) }
  }
  return answers
}

function successAnswer({ success }: Route, schemas: OpenApiSchemas): object {
  if ('mediaType' in success) {
    const content = { [success.mediaType]: { schema: { type: 'string', format: 'binary' } } }
    return { description: success.description, content }
  }
  const codes = success.codes.map((code) => `- \`${code}\`: ${SUCCESS_CODES[code]}`)
  return {
    description: [`${success.description}. Codes:`, '', ...codes].join('\n'),
    ...(success.inForce !== undefined && { headers: inForceHeaders(success.inForce === 'always') }),
    content: json(successSchema(success, schemas)),
  }
}

function refusals(route: Route): Map<number, ErrorCode[]> {
  const codes = new Set<ErrorCode>([...COMMON_ERRORS, ...route.errors])
  if (pathParameters(route.path).length > (route.freePathIds?.length ?? 0)) codes.add('path_id_invalid')
  if (route.business === 'path') codes.add('business_header_mismatch')
  if (route.method !== 'GET') codes.add('standing_changed')
  if (route.body !== undefined) codes.add('body_unreadable').add('body_too_large')
  const inTableOrder = (Object.keys(ERRORS) as ErrorCode[]).filter((code) => codes.has(code))
  return Map.groupBy(inTableOrder, (code) => ERRORS[code].status)
}

function successSchema(success: EnvelopeSuccess, schemas: OpenApiSchemas): object {
  return schemas.add(success.schemaName, {
    type: 'object',
    required: ['success', 'message', 'code', 'data'],
    properties: {
      success: { type: 'boolean', title: 'Success', default: true },
      message: { type: 'string', title: 'Message', description: 'For people; may change.' },
      code: { type: 'string', title: 'Code', description: 'What happened, from a closed list.' },
      data: schemas.of(anySchema(success.data)),
    },
  })
}

const ERROR_DETAIL = {
  type: 'object',
  required: ['detail'],
  properties: { detail: { type: 'string', title: 'Detail' } },
}

const VALIDATION_ERROR = {
  type: 'object',
  required: ['loc', 'msg', 'type'],
  properties: {
    loc: { type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'integer' }] }, title: 'Location' },
    msg: { type: 'string', title: 'Message' },
    type: { type: 'string', title: 'Error Type' },
    input: { title: 'Input' },
    ctx: { type: 'object', title: 'Context' },
  },
}

const HTTP_VALIDATION_ERROR = {
  type: 'object',
  properties: {
    detail: { type: 'array', items: { $ref: '#/components/schemas/ValidationError' }, title: 'Detail' },
  },
}

function json(schema: object): object {
  return { 'application/json': { schema } }
}
