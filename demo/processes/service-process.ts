import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import type { ChildProcesses } from './child-processes.ts'

const LAUNCHER = join(import.meta.dirname, '../../packages/server/bin/rescind.js')
const START_TIMEOUT_MS = 30_000
const PRINTED =
  /^Listening {2}(?<url>\S+)\n(?:.*\n)*Business {2}(?<businessId>\S+)\nOwner token {2}(?<ownerToken>\S+)\nOperator token {2}(?<operatorToken>\S+)\n/m

/** A service on a new data folder, and what it printed at this first start. */
export interface ServiceProcess {
  readonly child: ChildProcess
  readonly url: string
  readonly businessId: string
  readonly ownerToken: string
  readonly operatorToken: string
}

/**
 * Starts the service as it is shipped, on a free port.
 *
 * @throws Error when it is not ready in time
 */
export async function startService(processes: ChildProcesses, leaseSeconds: number): Promise<ServiceProcess> {
  const child = processes.node([LAUNCHER, 'serve'], {
    RESCIND_PORT: '0',
    RESCIND_DATA_DIR: join(processes.folder, 'data'),
    RESCIND_LEASE_SECONDS: `${leaseSeconds}`,
    RESCIND_LOG_LEVEL: 'warn',
  })
  const { url = '', businessId = '', ownerToken = '', operatorToken = '' } = await printed(child)
  return { child, url, businessId, ownerToken, operatorToken }
}

function printed(child: ChildProcess): Promise<Record<string, string>> {
  const { promise, resolve, reject } = Promise.withResolvers<Record<string, string>>()
  const timer = setTimeout(() => reject(new Error('The service took too long to start')), START_TIMEOUT_MS)
  let text = ''
  child.stdout?.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
    const { groups } = PRINTED.exec(text) ?? {}
    if (groups === undefined) return
    // Nothing else is of interest, and none of it is to be kept.
    text = ''
    child.stdout?.removeAllListeners('data').resume()
    resolve(groups)
  })
  return promise.finally(() => clearTimeout(timer))
}
