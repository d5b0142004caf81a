import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { childrenOf } from '../../postgres/process-tree.ts'
import { startPostgres } from '../../postgres/start-postgres.ts'
import { processCpuMs } from '../servers/process-cpu.ts'

/** The PostgreSQL server that is measured. */
export interface DatabaseServer {
  readonly version: string
  /** Makes an empty database, which is dropped in the end. @param purpose becomes part of its name */
  createDatabase(purpose: string): Promise<{ readonly name: string; readonly url: string }>
  /** What was executed for the clients of a database so far; `undefined` where it is not counted: on a server of somebody else. */
  executed(database: string): Promise<Executed | undefined>
  /** Connections of services to a database. */
  connections(database: string): Promise<number>
  /** Processor time that all of its processes have used so far; `undefined` where the system does not tell. */
  cpuMs(): number | undefined
  stop(): Promise<void>
}

/** What clients sent, counted from a moment that does not matter. */
export interface Executed {
  readonly statements: number
  /** Of them, those that ended a transaction. */
  readonly commits: number
}

/** Its counting costs it less than one hundredth. */
const COUNTING = { shared_preload_libraries: 'pg_stat_statements', max_connections: '500' }

/**
 * @param url of a server to be used, by somebody who may make databases; one is started unless given
 * @throws NoPostgres when none can be started
 */
export async function openDatabaseServer(url: string | undefined): Promise<DatabaseServer> {
  const own = url === undefined ? await startPostgres({ settings: COUNTING }) : undefined
  const client = new Client({ connectionString: url ?? own?.url })
  await client.connect()
  const databases: string[] = []
  const read = async (text: string, ...values: unknown[]) => (await client.query(text, values)).rows[0] ?? {}
  if (own !== undefined) await client.query('CREATE EXTENSION pg_stat_statements')
  return {
    version: (await read('SHOW server_version')).server_version,
    createDatabase: async (purpose) => {
      const name = `rescind_bench_${purpose}_${randomBytes(4).toString('hex')}`
      await client.query(`CREATE DATABASE "${name}"`)
      databases.push(name)
      const its = new URL(url ?? own?.url ?? '')
      its.pathname = `/${name}`
      return { name, url: its.href }
    },
    executed: async (database) => {
      if (own === undefined) return undefined
      const { statements, commits } = await read(
        `SELECT coalesce(sum(calls), 0) AS statements, coalesce(sum(calls) FILTER (WHERE query = 'COMMIT'), 0) AS commits
         FROM pg_stat_statements JOIN pg_database ON oid = dbid WHERE datname = $1`,
        database,
      )
      return { statements: Number(statements), commits: Number(commits) }
    },
    connections: async (database) =>
      Number((await read('SELECT count(*) FROM pg_stat_activity WHERE datname = $1', database)).count),
    cpuMs: () => own && treeCpuMs(own.postmasterPid),
    stop: async () => {
      for (const name of databases) await client.query(`DROP DATABASE "${name}" WITH (FORCE)`)
      await client.end()
      await own?.stop()
    },
  }
}

/** With every process it has started. */
function treeCpuMs(pid: number): number | undefined {
  const own = processCpuMs(pid, true)
  return own && childrenOf(pid).reduce((sum, child) => sum + (processCpuMs(child) ?? 0), own)
}
