import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Population, populate } from '../population.ts'
import { type RescindProcess, type RescindService, startRescind } from '../servers/rescind-process.ts'
import { TokenSupply } from '../token-supply.ts'
import type { DatabaseServer } from './database-server.ts'

export interface ClusterOptions {
  readonly nodes: number
  /** Whether the nodes tell each other of revocations; otherwise they poll. */
  readonly listen: boolean
  readonly members: number
  readonly profileDir?: string | undefined
}

/** Services on one database, which is used by nobody else. */
export interface Cluster extends RescindService {
  readonly port: readonly number[]
  readonly listen: boolean
  /** The name and the URL of its database. */
  readonly database: string
  readonly url: string
  readonly population: Population
  readonly supply: TokenSupply
  stop(): Promise<void>
}

/** @param folder of its own is made in it, for the logs of the nodes */
export async function startCluster(server: DatabaseServer, folder: string, options: ClusterOptions): Promise<Cluster> {
  const { nodes: count, listen, members, profileDir } = options
  const { name, url } = await server.createDatabase(listen ? 'nodes' : 'polling')
  const own = join(folder, name)
  await mkdir(own)
  const database = { url, masterKey: randomBytes(32).toString('hex'), listen }
  const nodes: RescindProcess[] = []
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()))
  }
  try {
    const first = await startRescind(own, { database, profileDir })
    nodes.push(first)
    while (nodes.length < count) nodes.push(await startRescind(own, { database, profileDir, joins: first }))
    const { businessId, ownerToken, operatorToken } = first
    const port = nodes.map((node) => node.port)
    const cpuMs = () => sum(nodes.map((node) => node.cpuMs()))
    const service: RescindService = { port, cpuMs, businessId, ownerToken, operatorToken }
    const population = await populate(service, { members, manyTokens: 0 })
    return {
      ...service,
      port,
      listen,
      database: name,
      url,
      population,
      supply: new TokenSupply(service, population),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function sum(values: readonly (number | undefined)[]): number | undefined {
  let total = 0
  for (const value of values) {
    if (value === undefined) return undefined
    total += value
  }
  return total
}
