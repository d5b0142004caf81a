import { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Client, type ClientBase, type CustomTypesConfig, Pool, type PoolClient, type PoolConfig, types } from 'pg'
import { checkServer } from './check-server.ts'
import { checkSchema } from './migrations.ts'
import { decodeText } from './text-values.ts'

/** Where the database is, and how it is used. */
export interface DatabaseAddress {
  /** `postgres://…`, with the parameters of libpq that `pg` knows. */
  readonly url: string
  /** Where the tables are: a plain lower-case identifier. */
  readonly schema: string
  /** Connections for reads, at most. A few more are kept for what must not wait for them. */
  readonly poolSize: number
}

/** Longer than any of this, and the caller is told that the storage is unavailable. Milliseconds. */
const CONNECT_MS = 3_000
/** For a lock that another session holds. */
const LOCK_MS = 3_000
/** For one statement, in the server. */
const STATEMENT_MS = 4_000
/** For one statement, with the way there and back: the server may be gone without a word. */
const ANSWER_MS = 5_000
/** For the server to close the connections. */
const GOODBYE_MS = 1_000
/** A session that stops in the middle of a transaction keeps everybody waiting who waits for its locks: less than {@link LOCK_MS}. */
const IDLE_IN_TRANSACTION_MS = 2_000

const INT8 = 20
const BYTEA = 17
const TEXT = 25

/** As `node:sqlite` gives them. */
const VALUES: CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') => {
    if (oid === INT8) return Number
    if (oid === TEXT) return decodeText
    if (oid === BYTEA) return (text: string) => new Uint8Array(types.getTypeParser(BYTEA)(text))
    return types.getTypeParser(oid, format === 'binary' ? 'text' : format)
  },
}

/** The connections to one database. Each is looked at before it is used: it must be to a server that keeps what it commits. */
export interface Connections {
  /** For reads, and everything that may wait for its turn. */
  readonly shared: Pool
  /** For the transactions of this node, one at a time. */
  readonly writer: Pool
  /** For the membership: a lease must not end because everybody else is busy. */
  readonly vital: Pool
  /** For one transaction that takes as long as it takes. */
  readonly patient: Pool
  /** One that is not shared, for the notifications. */
  dedicated(): Client
  end(): Promise<void>
}

/** @param onTrouble hears of connections that broke while nobody used them */
export function connect({ url, schema, poolSize }: DatabaseAddress, onTrouble: (error: unknown) => void): Connections {
  const config: PoolConfig = {
    connectionString: verified(url),
    application_name: 'rescind',
    types: VALUES,
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: ANSWER_MS,
    allowExitOnIdle: true,
  }
  const open = (more: PoolConfig) => {
    const pool = new Pool({ ...config, onConnect: (client) => prepare(client, schema), ...more })
    pool.on('error', (error) => {
      // The pool adds the whole connection, and with it what logs must not show.
      Reflect.deleteProperty(error, 'client')
      onTrouble(error)
    })
    return pool
  }
  const pools = {
    shared: open({ max: poolSize }),
    writer: open({ max: 1, pipeline: true }),
    vital: open({ max: 2 }),
    patient: open({ max: 1, pipeline: true, query_timeout: undefined }),
  }
  return {
    ...pools,
    // It is idle all the time, and must not keep a process alive that has nothing else to do.
    dedicated: () => new Client({ ...config, pipeline: true, stream: () => new Socket().unref() }),
    end: async () => {
      const ended = Promise.allSettled(Object.values(pools).map((pool) => pool.end()))
      // A server that is gone without a word does not say goodbye.
      await Promise.race([ended, delay(GOODBYE_MS, undefined, { ref: false })])
    },
  }
}

/** `pg` takes the other modes for this one, unless told otherwise, and says at every start that it will not do so for ever. */
function verified(url: string): string {
  return /[?&]uselibpqcompat=/.test(url)
    ? url
    : url.replace(/([?&]sslmode=)(?:prefer|require|verify-ca)(?=&|$)/, '$1verify-full')
}

/** Set here and not as parameters of the start, of which poolers of connections refuse those that they do not know. */
const LIMITS = `SET statement_timeout = ${STATEMENT_MS}; SET lock_timeout = ${LOCK_MS};
  SET idle_in_transaction_session_timeout = ${IDLE_IN_TRANSACTION_MS};
  SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED`

/** @throws StorageRefused */
async function prepare(client: ClientBase, schema: string): Promise<void> {
  await client.query(LIMITS)
  await checkServer(client)
  await checkSchema(client, schema)
}

/** Uses a connection of the pool; one that failed meanwhile is not used again. */
export async function withClient<T>(pool: Pool, use: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let failed = true
  // A connection that breaks between two statements says so here; the next statement finds it broken.
  const ignore = () => {}
  client.on('error', ignore)
  try {
    const result = await use(client)
    failed = false
    return result
  } finally {
    client.off('error', ignore)
    client.release(failed)
  }
}
