import { once } from 'node:events'
import type { FastifyInstance } from 'fastify'
import type { Traffic } from './traffic.ts'

/**
 * Closes the server without dropping what it works on: what was admitted is answered, what comes later gets 503.
 *
 * @param deadline When it aborts, what is not finished is cut off.
 */
export async function drain(app: FastifyInstance, traffic: Traffic, deadline: AbortSignal): Promise<void> {
  const expired = deadline.aborted ? Promise.resolve() : once(deadline, 'abort')
  await Promise.race([traffic.drain(), expired])
  const closed = app.close()
  traffic.closeUnused()
  await Promise.race([closed, expired])
  app.server.closeAllConnections()
  await closed
}
