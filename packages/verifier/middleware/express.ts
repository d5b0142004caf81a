import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Token } from '@rescind/protocol'
import type { Request } from 'express'
import type { Verifier } from '../verifier.ts'
import { createGuard } from './guard.ts'
import { nodeAuthorization } from './node-authorization.ts'
import type { Requirements } from './requirements.ts'

export type { Token } from '@rescind/protocol'
export type { Refusal, RefusalReason } from './refusal.ts'
export type { Requirements } from './requirements.ts'

declare global {
  namespace Express {
    interface Request {
      /**
       * Who is asking, behind {@link protect}. Without it there is none, and reading from it throws: typed as optional,
       * every protected handler would have to look for what is always there.
       */
      readonly token: Token
    }
  }
}

/** Typed by what it needs, so that a route in front of which it stands keeps the types of its parameters and bodies. */
type ProtectHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => Promise<void>

/**
 * Middleware for Express 4 and 5 that lets requests with a valid token pass, as `request.token`, and answers the others.
 * What fails goes to `next`; the promise never rejects because of it.
 *
 * @throws TypeError when there is no such requirement
 */
export function protect(verifier: Pick<Verifier, 'verify'>, requirements: Requirements<Request> = {}): ProtectHandler {
  const guard = createGuard(verifier, requirements)
  return async (request, response, next) => {
    try {
      // Express hands over its own.
      const admission = await guard(nodeAuthorization(request), request as Request)
      if ('answer' in admission) {
        const { status, headers, body } = admission.answer
        response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body)
        return
      }
      Object.assign(request, { token: admission.token })
    } catch (error) {
      next(error)
      return
    }
    next()
  }
}
