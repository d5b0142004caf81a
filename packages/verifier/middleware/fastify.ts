import type { Token } from '@rescind/protocol'
import type { FastifyReply, FastifyRequest, RawServerBase, RouteGenericInterface } from 'fastify'
import type { Verifier } from '../verifier.ts'
import { createGuard } from './guard.ts'
import { nodeAuthorization } from './node-authorization.ts'
import type { Requirements } from './requirements.ts'

export type { Token } from '@rescind/protocol'
export type { Refusal, RefusalReason } from './refusal.ts'
export type { Requirements } from './requirements.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * Who is asking, behind {@link protect}. Without it there is none, and reading from it throws: typed as optional,
     * every protected handler would have to look for what is always there.
     */
    readonly token: Token
  }
}

/** Of any server, HTTP/2 included. */
type AnyRequest = FastifyRequest<RouteGenericInterface, RawServerBase>
type AnyReply = FastifyReply<RouteGenericInterface, RawServerBase>

type ProtectHook<Request> = (request: NoInfer<Request>, reply: AnyReply, done: (error?: Error) => void) => void

/**
 * A hook for Fastify 5 that lets requests with a valid token pass, as `request.token`, and answers the others. Use it as
 * `onRequest`, where no body has been read yet, or as `preValidation` or `preHandler`.
 *
 * It calls back: when the promise of a hook has been kept, Fastify goes on unless the answer is out by then, and it is not
 * when the client has hung up in the meantime.
 *
 * @throws TypeError when there is no such requirement
 */
export function protect<Request extends AnyRequest = AnyRequest>(
  verifier: Pick<Verifier, 'verify'>,
  requirements: Requirements<Request> = {},
): ProtectHook<Request> {
  const guard = createGuard(verifier, requirements)

  async function admit(request: Request, reply: AnyReply, done: (error?: Error) => void): Promise<void> {
    const admission = await guard(nodeAuthorization(request.raw), request)
    if ('answer' in admission) {
      const { status, headers, body } = admission.answer
      // As bytes, since Fastify adds a charset to the type of JSON in text.
      reply.code(status).headers(headers).send(Buffer.from(body))
      return
    }
    Object.assign(request, { token: admission.token })
    done()
  }

  return (request, reply, done) => {
    admit(request, reply, done).catch(done)
  }
}
