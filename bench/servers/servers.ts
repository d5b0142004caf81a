import { join } from 'node:path'
import { Followers } from '../followers/followers.ts'
import { type CommitProcess, startCommits } from './commit-process.ts'
import { type RescindProcess, startRescind } from './rescind-process.ts'
import { type ServerProcess, startServer } from './server-process.ts'

const REFERENCE = join(import.meta.dirname, 'reference-server.ts')

/** Everything that is measured over a socket or a pipe. */
export interface Servers {
  readonly rescind: RescindProcess
  readonly node: ServerProcess
  readonly fastify: ServerProcess
  readonly fastifyLogging: ServerProcess
  readonly commits: CommitProcess
  readonly followers: Followers
}

/**
 * Starts the service and what it is compared with, each as a process of its own, and stops them after `use`.
 *
 * @param folder for databases and logs, all on the same disk
 */
export async function withServers<T>(
  folder: string,
  profileDir: string | undefined,
  use: (servers: Servers) => Promise<T>,
): Promise<T> {
  const started: { stop(): Promise<void> }[] = []
  const keep = <S extends { stop(): Promise<void> }>(server: S): S => {
    started.push(server)
    return server
  }
  const reference = async (...args: string[]) =>
    keep((await startServer({ args: [REFERENCE, ...args], stderrFile: join(folder, 'references.log') })).server)
  try {
    return await use({
      rescind: keep(await startRescind(folder, { profileDir })),
      node: await reference('node'),
      fastify: await reference('fastify'),
      fastifyLogging: await reference('fastify', join(folder, 'fastify.log')),
      commits: keep(startCommits(folder)),
      followers: keep(new Followers()),
    })
  } finally {
    await Promise.all(started.map((server) => server.stop()))
  }
}
