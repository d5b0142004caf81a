import { join } from 'node:path'
import { type ServerProcess, startServer } from './server-process.ts'

const LAUNCHER = join(import.meta.dirname, '../../packages/server/bin/rescind.js')
const OPERATOR_TOKEN = /^Operator token {2}(\S+)$/m

/** The service, as it is shipped, on a data folder of its own. */
export interface RescindProcess extends ServerProcess {
  readonly businessId: string
  readonly ownerToken: string
  readonly operatorToken: string
}

interface RescindOptions {
  /** Where the service leaves a processor profile when it stops; none unless given. */
  readonly profileDir?: string | undefined
  /** The service's own default unless given. */
  readonly leaseSeconds?: number
}

export async function startRescind(
  folder: string,
  { profileDir, leaseSeconds }: RescindOptions = {},
): Promise<RescindProcess> {
  const profiling = profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`]
  const { server, printed } = await startServer({
    args: [...profiling, LAUNCHER, 'serve'],
    env: {
      RESCIND_PORT: '0',
      RESCIND_DATA_DIR: join(folder, 'data'),
      RESCIND_MAX_ACTIVE_TOKENS: '1000000',
      ...(leaseSeconds !== undefined && { RESCIND_LEASE_SECONDS: `${leaseSeconds}` }),
    },
    stderrFile: join(folder, 'rescind.log'),
    ready: OPERATOR_TOKEN,
  })
  const read = (pattern: RegExp) => pattern.exec(printed)?.[1] ?? ''
  return {
    ...server,
    businessId: read(/^Business {2}(\S+)$/m),
    ownerToken: read(/^Owner token {2}(\S+)$/m),
    operatorToken: read(OPERATOR_TOKEN),
  }
}
