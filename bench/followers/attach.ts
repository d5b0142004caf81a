import { openFeedSocket } from '../../packages/verifier/core/web-socket.ts'
import { createVerifier, type Verifier } from '../../packages/verifier/index.ts'
import { Applications } from './applications.ts'
import { Heartbeats } from './heartbeats.ts'

/** A verifier as an application runs it, in this process. */
export interface Attached {
  readonly verifier: Verifier
  readonly heartbeats: Heartbeats
  readonly applications: Applications
}

/**
 * Attaches a verifier to the service at `port` of this machine. Resolves when it may decide. From then on until it is closed, whatever
 * keeps it from deciding is a fault of what is measured, and thrown where nobody catches it.
 *
 * @param token with the scope `feed`
 */
export async function attach(port: number, token: string): Promise<Attached> {
  const heartbeats = new Heartbeats()
  const applications = new Applications(port)
  const verifier = await createVerifier({
    url: `http://127.0.0.1:${port}`,
    token,
    environment: {
      connect: (...[to, credential, listener]) =>
        heartbeats.watch(listener, (watched) => applications.watch(openFeedSocket(to, credential, watched))),
    },
  })
  verifier.on('trouble', (error) => {
    throw error
  })
  verifier.on('lapsed', () => {
    throw new Error('An attached verifier has lost its lease')
  })
  return { verifier, heartbeats, applications }
}
