import { POSTGRES_FULL, POSTGRES_QUICK } from '../effort.ts'
import { Followers } from '../followers/followers.ts'
import { measureInRounds } from '../load/rounds.ts'
import type { RunOptions } from '../measure-embedded.ts'
import type { Report } from '../report/report.ts'
import { tableOf } from '../report/table.ts'
import { type Cluster, startCluster } from './cluster.ts'
import { openDatabaseServer } from './database-server.ts'
import { propagation } from './propagation.ts'
import { startInserts } from './single-inserts.ts'
import { writes } from './writes.ts'

interface PostgresRunOptions extends RunOptions {
  /** Of a server to be measured; one is started unless given. */
  readonly url: string | undefined
}

/**
 * Measures services on PostgreSQL, as many on one database as are to be compared. They all run all the time, each
 * installation on a database of its own and idle but for its turn, so that what disturbs a round disturbs all of them.
 *
 * @param folder for logs
 */
export async function measurePostgres(folder: string, { url, quick, profileDir }: PostgresRunOptions): Promise<Report> {
  const effort = quick ? POSTGRES_QUICK : POSTGRES_FULL
  const started: { stop(): Promise<void> }[] = []
  const keep = <S extends { stop(): Promise<void> }>(each: S): S => {
    started.unshift(each)
    return each
  }
  try {
    const server = keep(await openDatabaseServer(url))
    const forInserts = await server.createDatabase('inserts')
    const inserts = keep(await startInserts(forInserts.url, folder))
    const followers = keep(new Followers())
    const start = async (nodes: number, listen: boolean): Promise<Cluster> =>
      keep(await startCluster(server, folder, { nodes, listen, members: effort.members, profileDir }))
    const clusters: Cluster[] = []
    for (const nodes of effort.nodeCounts) clusters.push(await start(nodes, true))
    const polling = await start(Math.max(...effort.nodeCounts), false)

    const writing = writes({ server, followers, inserts, clusters, clientCounts: effort.clientCounts }, effort.windowMs)
    const spreading = propagation([...clusters, polling], followers, effort.propagationMs)
    const counts = { rounds: effort.rounds, warmUpRounds: 0 }
    const samples = await measureInRounds([...writing.items, ...spreading.items], counts)
    const connections: number[] = []
    for (const { database } of clusters) connections.push(await server.connections(database))
    return {
      tables: [
        { title: 'Issuing and revoking', table: tableOf(writing.rows(samples)) },
        { title: `What a revocation costs, ${effort.clientCounts[1]} clients`, table: writing.costs(samples) },
        {
          title: 'From the request on, p50 / p99, a few revocations at a time',
          table: spreading.table(),
        },
      ],
      notes: [
        `PostgreSQL ${server.version}. Single rows were inserted by ${inserts.program}.`,
        `Connections to the database, by number of nodes: ${connections.map((count, index) => `${effort.nodeCounts[index]}: ${count}`).join(', ')}.`,
      ],
      missed: 0,
    }
  } finally {
    for (const each of started) await each.stop()
  }
}
