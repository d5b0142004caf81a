import { authorizationValues, isUuid } from '@rescind/protocol'
import { authorize } from '../access/authorize.ts'
import { admit, refuseUnauthenticated } from './admit.ts'

import { claimedEmail } from './claimed-email.ts'
import { callDecoder } from './decode/call-decoder.ts'
import type { QueryParameters } from './decode/query-string.ts'
import { readBody } from './decode/read-body.ts'
import { validationBody } from './decode/validation-error.ts'
import type { Exchange } from './exchange.ts'
import { inForceHeaders } from './in-force-headers.ts'
import { pathParameters } from './path-pattern.ts'
import type { PathParams, Route } from './route.ts'
import type { Shell } from './shell.ts'
import { successBody } from './success-body.ts'

type Serve = (...call: Parameters<RouteServer>) => Promise<void>

const DIED = { rejected: 'revoked', presented: true } as const

/** Serves requests to one route. Answers by itself and never throws. */
type RouteServer = (exchange: Exchange, params: PathParams, query: QueryParameters) => void

export function serveRoute(shell: Shell, route: Route): RouteServer {
  const serve = steps(shell, route)
  return (exchange, params, query) => {
    serve(exchange, params, query).catch((fault: unknown) => exchange.fail(fault))
  }
}

/** The steps of every request, in the order of the contract. */
function steps({ limits, authenticate, monotonicMs }: Shell, route: Route): Serve {
  const pathIds = pathParameters(route.path)
  const uuidParameters = pathIds.filter((name) => route.freePathIds?.includes(name) !== true)
  const businessParameter = route.business === 'path' ? pathIds[0] : undefined
  const decode = callDecoder(route)
  const { success } = route

  return async (exchange, rawParams, rawQuery) => {
    exchange.route = route.path
    const { request } = exchange
    // While the caller is looked up: what a client sent that hangs up meanwhile would be lost.
    const body = route.body === undefined ? null : readBody(request, limits.bodyBytes)
    const principal = admit(exchange, await authenticate(authorizationValues(request.rawHeaders)))
    if (principal === undefined) return

    const params = lowerUuids(rawParams, uuidParameters)
    const email = claimedEmail(request.headers['x-user-email'])
    const authorization = authorize(principal, route, {
      // Node joins repeated headers with a comma, which no UUID has.
      header: request.headers['x-business-id']?.toString().toLowerCase(),
      path: businessParameter === undefined ? undefined : params[businessParameter],
      claimedEmail: email,
    })
    if ('refused' in authorization) return exchange.refuse(authorization.refused)
    const { businessId } = authorization
    if (uuidParameters.some((name) => !isUuid(params[name]))) return exchange.refuse('path_id_invalid')
    if (businessId !== null) exchange.businessId = businessId

    const decoding = decode(rawQuery, body, request.headers['content-type'])
    const decoded = decoding instanceof Promise ? await decoding : decoding
    if ('refused' in decoded) {
      if (decoded.reason !== undefined) exchange.reason = decoded.reason
      return exchange.refuse(decoded.refused)
    }
    if ('errors' in decoded) {
      exchange.reason = [...new Set(decoded.errors.map(({ type }) => type))].join(' ')
      return exchange.respond(422, validationBody(decoded.errors))
    }

    const calledMs = monotonicMs()
    const answer = await route.handler({
      principal,
      businessId,
      claimedEmail: email,
      requestId: exchange.id,
      params,
      query: decoded.query,
      body: decoded.body,
    })
    if ('refused' in answer) {
      // The token died while the request was running.
      if (answer.refused === 'not_authenticated') return refuseUnauthenticated(exchange, DIED)
      return exchange.refuse(answer.refused)
    }
    if ('file' in answer) return exchange.respondWithFile(answer.file, mediaTypeOf(route))
    const { code, data, inForce } = answer
    const headers = inForce && inForceHeaders(inForce, monotonicMs() - calledMs)
    exchange.respond(success.status, successBody(code, data), headers)
  }
}

function mediaTypeOf({ success, operationId }: Route): string {
  if ('mediaType' in success) return success.mediaType
  throw new TypeError(`${operationId} answers with a file, and says nothing of that`)
}

/** `params` with its UUIDs in the one spelling that ids have here. */
function lowerUuids(params: PathParams, names: readonly string[]): PathParams {
  if (names.length === 0) return params
  const lowered: Record<string, string> = { ...params }
  for (const name of names) lowered[name] = (params[name] ?? '').toLowerCase()
  return lowered
}
