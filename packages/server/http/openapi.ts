import { ERRORS, type ErrorCode } from '@rescind/protocol'
import { SchemaRegistry } from './openapi-schemas.ts'
import { SYSTEM_OPERATIONS } from './openapi-system.ts'
import type { Route } from './route.ts'
import { SUCCESS_CODES } from './success-codes.ts'

type Json = Readonly<Record<string, unknown>>

/** Refusals that every operation of the API has, before its handler is asked. */
const EVERYWHERE: readonly ErrorCode[] = [
  'bad_request',
  'not_authenticated',
  'scope_missing',
  'storage_unavailable',
  'may_not_decide',
  'draining',
]

/**
 * The OpenAPI 3.1 document of the routes. It says what the routes do because it is made of the same entries that
 * validate and serve them.
 */
export function openapiDocument(routes: readonly Route[], version: string): Json {
  const schemas = new SchemaRegistry()
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) {
    paths[route.path] ??= {}
    Object.assign(paths[route.path] ?? {}, { [route.method.toLowerCase()]: operation(route, routes, schemas) })
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Rescind',
      version,
      summary: 'API tokens that are dead, everywhere and for good, once their revocation is answered.',
      description: successCodes(),
    },
    paths: { ...paths, ...SYSTEM_OPERATIONS },
    components: {
      schemas: schemas.components(),
      securitySchemes: {
        HTTPBearer: { type: 'http', scheme: 'bearer', description: 'A token of this service (RFC 6750).' },
      },
    },
  }
}

function operation(route: Route, routes: readonly Route[], schemas: SchemaRegistry): Json {
  const { success } = route
  const codes = routes.filter((each) => each.success.schemaName === success.schemaName)
  const envelope = schemas.envelope(success.schemaName, success.data, [
    ...new Set(codes.flatMap((each) => each.success.codes)),
  ])
  return {
    tags: [route.tag],
    operationId: route.operationId,
    summary: route.summary,
    description: route.description,
    security: [{ HTTPBearer: [] }],
    parameters: [...pathParameters(route), ...queryParameters(route, schemas), ...headerParameters(route)],
    ...(route.body && { requestBody: requestBody(route, schemas) }),
    responses: {
      [success.status]: { description: success.description, content: json(envelope) },
      ...refusals(route, schemas),
      422: { description: 'Validation Error', content: json(schemas.validationError()) },
    },
  }
}

function pathParameters({ path, freePathIds }: Route): Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: freePathIds?.includes(name) ? { type: 'string' } : { type: 'string', format: 'uuid' },
  }))
}

function queryParameters({ query }: Route, schemas: SchemaRegistry): Json[] {
  return query === undefined
    ? []
    : schemas.fields(query).map(([name, schema]) => ({ name, in: 'query', required: false, schema }))
}

function headerParameters({ business }: Route): Json[] {
  if (business === 'none') return []
  const required = business === 'header'
  return [
    {
      name: 'x-business-id',
      in: 'header',
      required,
      description: required
        ? 'The business. Operators that act for themselves leave it out.'
        : 'The business in the path. Operators may leave it out.',
      schema: { type: 'string', format: 'uuid' },
    },
    {
      name: 'x-user-email',
      in: 'header',
      required: false,
      description: 'The member an operator acts for. From anyone else it is recorded as claimed and changes nothing.',
      schema: { type: 'string' },
    },
  ]
}

function requestBody({ body, bodyOptional }: Route, schemas: SchemaRegistry): Json {
  const schema = body && schemas.use(body)
  return bodyOptional
    ? { content: json({ anyOf: [schema, { type: 'null' }] }) }
    : { required: true, content: json(schema) }
}

/** One response for each status, whose description lists the sentences it may carry. */
function refusals(route: Route, schemas: SchemaRegistry): Json {
  const codes = new Set<ErrorCode>([...EVERYWHERE, ...edgeRefusals(route), ...route.errors])
  const byStatus = Map.groupBy(codes, (code) => ERRORS[code].status)
  return Object.fromEntries(
    [...byStatus].map(([status, sameStatus]) => [
      status,
      {
        description: sameStatus.map((code) => `${ERRORS[code].detail}.`).join(' '),
        ...(status === 401 && { headers: { 'WWW-Authenticate': header('RFC 6750 challenge.') } }),
        ...(status === 503 && { headers: { 'Retry-After': header('Seconds.') } }),
        content: json(schemas.error()),
      },
    ]),
  )
}

/** Refusals that follow from what the route reads. */
function edgeRefusals({ path, business, body, method }: Route): ErrorCode[] {
  return [
    ...(business === 'none' ? [] : (['business_header_missing', 'business_header_invalid', 'other_business'] as const)),
    ...(business === 'path' ? (['business_header_mismatch'] as const) : []),
    ...(path.includes('{') ? (['path_id_invalid'] as const) : []),
    ...(body === undefined ? [] : (['body_unreadable', 'body_too_large'] as const)),
    ...(method === 'GET' ? [] : (['standing_changed'] as const)),
  ]
}

function header(description: string): Json {
  return { description, schema: { type: 'string' } }
}

function json(schema: unknown): Json {
  return { 'application/json': { schema } }
}

function successCodes(): string {
  const rows = Object.entries(SUCCESS_CODES).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`)
  return ['Every success carries a `code`:', '', '| code | meaning |', '| --- | --- |', ...rows].join('\n')
}
