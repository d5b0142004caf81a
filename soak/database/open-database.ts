import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { TcpProxy } from '../network/tcp-proxy.ts'
import type { Database, DatabaseKind } from './database.ts'
import { PostgresCluster } from './postgres-cluster.ts'

/** That share one PostgreSQL. */
const SERVICES = 3

/** @param folder of the run */
export function openDatabase(kind: DatabaseKind, folder: string): Promise<Database> {
  const dataDir = join(folder, 'data')
  return kind === 'postgres' ? openPostgres(dataDir) : openSqlite(dataDir)
}

/** In the one service there is. */
async function openSqlite(dataDir: string): Promise<Database> {
  return { environments: [{ RESCIND_DATA_DIR: dataDir }], links: [], clusters: [], close: async () => {} }
}

/** A primary with a standby, and several services, each of which reaches whichever is primary on a way of its own. */
async function openPostgres(dataDir: string): Promise<Database> {
  const cluster = await PostgresCluster.open()
  const links: TcpProxy[] = []
  while (links.length < SERVICES) links.push(await TcpProxy.open(() => cluster.port))
  const shared = { RESCIND_MASTER_KEY: randomBytes(32).toString('hex'), RESCIND_DATA_DIR: dataDir }
  return {
    environments: links.map(({ port }) => ({
      ...shared,
      DATABASE_URL: `postgres://postgres@127.0.0.1:${port}/postgres`,
    })),
    links,
    clusters: [cluster],
    close: async () => {
      await Promise.all(links.map((link) => link.close()))
      await cluster.close()
    },
  }
}
