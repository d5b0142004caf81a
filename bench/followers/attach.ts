import { openFeedSocket } from '../../packages/verifier/core/web-socket.ts'
import { createVerifier, type Verifier } from '../../packages/verifier/index.ts'
import { Heartbeats } from './heartbeats.ts'

/** A verifier as an application runs it, in this process. */
export interface Attached {
  readonly verifier: Verifier
  readonly heartbeats: Heartbeats
}

/**
 * Attaches a verifier to the service at `url`. Resolves when it may decide. From then on until it is closed, whatever
 * keeps it from deciding is a fault of what is measured, and thrown where nobody catches it.
 *
 * @param token with the scope `feed`
 */
export async function attach(url: string, token: string): Promise<Attached> {
  const heartbeats = new Heartbeats()
  const verifier = await createVerifier({
    url,
    token,
    environment: {
      connect: (...[to, credential, listener]) =>
        heartbeats.watch(listener, (watched) => openFeedSocket(to, credential, watched)),
    },
  })
  verifier.on('trouble', (error) => {
    throw error
  })
  verifier.on('lapsed', () => {
    throw new Error('An attached verifier has lost its lease')
  })
  return { verifier, heartbeats }
}
