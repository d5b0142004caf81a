import { join } from 'node:path'
import type { LoadTarget } from '../load/rounds.ts'
import { type ServerProcess, startServer } from './server-process.ts'

const LAUNCHER = join(import.meta.dirname, '../../packages/server/bin/rescind.js')
const OPERATOR_TOKEN = /^Operator token {2}(\S+)$/m

/** Where requests go, and who may make them: one process, or several on one database. */
export interface RescindService extends LoadTarget {
  readonly businessId: string
  readonly ownerToken: string
  readonly operatorToken: string
}

/** The service, as it is shipped. */
export interface RescindProcess extends ServerProcess, RescindService {
  readonly port: number
}

/** Which PostgreSQL database a process uses. */
export interface DatabaseUse {
  readonly url: string
  /** 32 bytes as hex digits, the same for all processes that use it. */
  readonly masterKey: string
  readonly listen: boolean
}

interface RescindOptions {
  /** The embedded database in the folder unless given. */
  readonly database?: DatabaseUse
  /** A process on the same database, which made the installation. */
  readonly joins?: RescindService | undefined
  /** Where the service leaves a processor profile when it stops; none unless given. */
  readonly profileDir?: string | undefined
  /** The service's own default unless given. */
  readonly leaseSeconds?: number
}

export async function startRescind(
  folder: string,
  { database, joins, profileDir, leaseSeconds }: RescindOptions = {},
): Promise<RescindProcess> {
  const profiling = profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`]
  const { server, printed } = await startServer({
    args: [...profiling, LAUNCHER, 'serve'],
    env: {
      RESCIND_PORT: '0',
      RESCIND_DATA_DIR: join(folder, 'data'),
      RESCIND_MAX_ACTIVE_TOKENS: '1000000',
      ...(leaseSeconds !== undefined && { RESCIND_LEASE_SECONDS: `${leaseSeconds}` }),
      ...(database !== undefined && {
        DATABASE_URL: database.url,
        RESCIND_DATABASE_LISTEN: database.listen ? 'on' : 'off',
        RESCIND_MASTER_KEY: database.masterKey,
      }),
    },
    stderrFile: join(folder, 'rescind.log'),
    ...(joins === undefined && { ready: OPERATOR_TOKEN }),
  })
  if (joins !== undefined) {
    const { businessId, ownerToken, operatorToken } = joins
    return { ...server, businessId, ownerToken, operatorToken }
  }
  const read = (pattern: RegExp) => pattern.exec(printed)?.[1] ?? ''
  return {
    ...server,
    businessId: read(/^Business {2}(\S+)$/m),
    ownerToken: read(/^Owner token {2}(\S+)$/m),
    operatorToken: read(OPERATOR_TOKEN),
  }
}
