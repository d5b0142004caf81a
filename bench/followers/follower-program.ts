/**
 * A process with attached verifiers in it, as many as it is told. It answers each {@link FollowerRequest} once, and ends
 * with the process that started it, however that ends.
 */
import { type Attached, attach } from './attach.ts'
import type { FollowerAnswer, FollowerRequest } from './follower-request.ts'
import { type Verifications, verifyEveryMs } from './verify-every-ms.ts'

let attached: Attached[] = []
let endVerifying: (() => Verifications) | undefined

process.on('disconnect', () => process.exit())
process.on('message', async (request: FollowerRequest) => process.send?.(await answer(request)))

async function answer(request: FollowerRequest): Promise<FollowerAnswer> {
  switch (request.type) {
    case 'attach': {
      const { port, token, count } = request
      attached = await Promise.all(Array.from({ length: count }, () => attach(port, token)))
      break
    }
    case 'detach':
      await Promise.all(attached.splice(0).map(({ verifier }) => verifier.close()))
      break
    case 'observe': {
      const [first] = attached
      for (const { heartbeats, applications } of attached) {
        heartbeats.take()
        applications.take()
      }
      if (first !== undefined && request.token !== null) endVerifying = verifyEveryMs(first.verifier, request.token)
      break
    }
    case 'observed': {
      const verifications = endVerifying?.() ?? { tookMs: [], lateMs: [] }
      endVerifying = undefined
      return {
        verifications,
        heartbeatsMs: attached.flatMap(({ heartbeats }) => heartbeats.take()),
        applied: attached.map(({ applications }) => applications.take()),
      }
    }
  }
  return { verifications: { tookMs: [], lateMs: [] }, heartbeatsMs: [], applied: [] }
}
