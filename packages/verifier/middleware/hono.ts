import type { Token } from '@rescind/protocol'
import type { Context, MiddlewareHandler } from 'hono'
import type { Verifier } from '../verifier.ts'
import type { Answer } from './answer.ts'
import { createGuard } from './guard.ts'
import type { Requirements } from './requirements.ts'

export type { Token } from '@rescind/protocol'
export type { Refusal, RefusalReason } from './refusal.ts'
export type { Requirements } from './requirements.ts'

/** What handlers behind {@link protect} find in their context. */
export interface ProtectedEnv {
  readonly Variables: {
    /** Who is asking. */
    readonly token: Token
  }
}

/**
 * Middleware for Hono 4 that lets requests with a valid token pass, as `c.var.token`, and answers the others.
 *
 * @throws TypeError when there is no such requirement
 */
export function protect(
  verifier: Pick<Verifier, 'verify'>,
  requirements: Requirements<Context> = {},
): MiddlewareHandler<ProtectedEnv> {
  const guard = createGuard(verifier, requirements)
  return async (context, next) => {
    // Several are one here, with a comma in it, on Node as well; no token has one.
    const authorization = context.req.header('authorization')
    const admission = await guard(authorization === undefined ? [] : [authorization], context)
    if ('answer' in admission) return respond(context, admission.answer)
    context.set('token', admission.token)
    await next()
    return undefined
  }
}

/** Headers that were set earlier, for the whole application, stay, but none of them replaces one of the answer. */
function respond(context: Context, { status, headers, body }: Answer): Response {
  for (const [name, value] of Object.entries(headers)) context.header(name, value)
  return context.body(body, status)
}
