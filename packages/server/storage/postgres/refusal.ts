import { DatabaseError } from 'pg'
import { StorageRefused } from '../storage.ts'
import { isServerFault } from './server-fault.ts'

/** By SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const SERVER: Record<string, string> = {
  '28000': 'The database server does not accept the user of DATABASE_URL.',
  '28P01': 'The database server does not accept the password of DATABASE_URL.',
  '3D000': 'The database that DATABASE_URL names does not exist on the server.',
  '42501':
    'The user of DATABASE_URL may not create or use the schema; grant it CREATE on the database, or own the schema.',
  '53300':
    'The database server has no connection left; raise its max_connections, or lower RESCIND_DATABASE_POOL_SIZE.',
  '57P03': 'The database server is starting up or shutting down; start the service when it accepts connections.',
  '25006': 'The database server takes no writes; set DATABASE_URL to the primary.',
}

const BROKEN =
  'Whoever listens at the host and port of DATABASE_URL closes the connection; is it a PostgreSQL server, and up?'

/** By error code of the operating system or of TLS. */
const NETWORK: Record<string, string> = {
  ECONNREFUSED: 'Nothing listens at the host and port of DATABASE_URL.',
  ENOENT: 'Nothing listens at the host and port of DATABASE_URL.',
  ENOTFOUND: 'The host of DATABASE_URL is not known.',
  EAI_AGAIN: 'The host of DATABASE_URL cannot be looked up.',
  ENETUNREACH: 'The host of DATABASE_URL cannot be reached.',
  EHOSTUNREACH: 'The host of DATABASE_URL cannot be reached.',
  ETIMEDOUT: 'The host of DATABASE_URL does not answer.',
  ECONNRESET: BROKEN,
  EPIPE: BROKEN,
}

/** What to throw when opening failed with `error`: a sentence for a person where the cause is theirs to mend, else the error itself. */
export function refusal(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StorageRefused) return error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const sentence =
    error instanceof DatabaseError ? describeServer(error, code) : (fileOf(error) ?? NETWORK[code] ?? describe(error))
  return sentence ? new StorageRefused(sentence, { cause: error }) : error
}

/** Of a certificate or a key. The address of a socket is no file that is read. */
function fileOf(error: Error): string | undefined {
  if (!('path' in error) || ('syscall' in error && error.syscall === 'connect')) return undefined
  return `The file ${error.path}, which DATABASE_URL names, cannot be read.`
}

function describeServer(error: DatabaseError, code: string): string | undefined {
  if (SERVER[code] !== undefined || !isServerFault(error)) return SERVER[code]
  return `The database server cannot serve now: ${error.message} (${code}); start the service again when it can.`
}

function describe({ message }: Error): string | undefined {
  if (/timeout/.test(message)) return 'The host of DATABASE_URL does not answer.'
  if (/terminated/.test(message)) return BROKEN
  if (/SSL|TLS|certificate|self-signed/i.test(message)) {
    return `The database server and this program do not agree on TLS: ${message}; see sslmode and sslrootcert in DATABASE_URL.`
  }
  return undefined
}
