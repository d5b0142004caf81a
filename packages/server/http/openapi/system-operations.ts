import { SYSTEM_PATHS } from '../system-routes.ts'
import { responseHeaders } from './response-headers.ts'

function open(operationId: string, summary: string, responses: Readonly<Record<number, string>>) {
  const described = Object.entries(responses).map(([status, description]) => [
    status,
    {
      description,
      ...responseHeaders(Number(status)),
      content: { 'application/json': { schema: { type: 'object' } } },
    },
  ])
  return { get: { tags: ['system'], operationId, summary, responses: Object.fromEntries(described) } }
}

/** The operations that need no token. */
export const SYSTEM_OPERATIONS = {
  [SYSTEM_PATHS.jwks]: open('get_jwks__well_known_jwks_json_get', 'Public keys', {
    200: 'The keys that tokens are verified with, as a JWK set (RFC 7517)',
  }),
  [SYSTEM_PATHS.live]: open('live_health_live_get', 'Liveness', { 200: 'The process runs' }),
  [SYSTEM_PATHS.ready]: open('ready_health_ready_get', 'Readiness', {
    200: 'The service answers requests',
    503: 'It does not: it is shutting down, its storage failed, or it may not decide',
  }),
}
