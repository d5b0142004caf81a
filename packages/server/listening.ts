import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import type { Config } from './config.ts'
import { StartRefused } from './start-refused.ts'

/** @throws StartRefused when the service could not listen where it is to */
export async function checkPort({ host, port }: Config): Promise<void> {
  const probe = createServer()
  try {
    await once(probe.listen(port, host), 'listening')
  } catch (error) {
    throw refusedListen(error, { host, port })
  }
  probe.close()
  await once(probe, 'close')
}

export function listeningUrl(address: AddressInfo | string | null, { host }: Config): string {
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** A failure to listen as a sentence for a person; any other error as it is. */
export function refusedListen(error: unknown, { host, port }: Pick<Config, 'host' | 'port'>): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'EADDRINUSE':
      return new StartRefused(`Port ${port} on ${host} is taken; stop what listens there, or set RESCIND_PORT.`)
    case 'EACCES':
      return new StartRefused(`Listening on port ${port} is not permitted; set RESCIND_PORT to one above 1023.`)
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new StartRefused(`The address ${host} is not one of this machine; set RESCIND_HOST.`)
    default:
      return error
  }
}
