import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import type { LoadResult } from '../load/drive.ts'
import { latency } from '../report/statistics.ts'

const run = promisify(execFile)

/** Without values: whoever inserts has nothing to do but to insert. */
export const INSERT = "INSERT INTO line (at, what) VALUES (now(), 'one row of a log')"
const TABLE = 'CREATE TABLE line (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz, what text)'

/** The least that a durable write can be on a PostgreSQL server. */
export interface SingleInserts {
  /** What inserts. */
  readonly program: string
  /** So many clients, each with a connection of its own, insert row after row and commit each. */
  insertFor(clients: number, durationMs: number): Promise<LoadResult>
  stop(): Promise<void>
}

/**
 * By pgbench, or where it is missing by a process that does the same.
 *
 * @param url of an empty database
 * @param folder for what pgbench needs and leaves
 */
export async function startInserts(url: string, folder: string, pgbench = 'pgbench'): Promise<SingleInserts> {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(TABLE)
  await client.end()
  const version = await run(pgbench, ['--version']).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  )
  return version === undefined ? ownInserts(url) : pgbenchInserts(version, pgbench, url, join(folder, 'pgbench'))
}

async function pgbenchInserts(version: string, pgbench: string, url: string, folder: string): Promise<SingleInserts> {
  await mkdir(folder)
  const script = join(folder, 'insert.sql')
  await writeFile(script, INSERT)
  const log = ['--log', `--log-prefix=${join(folder, 'transactions')}`]
  const insertFor = async (clients: number, seconds: number): Promise<LoadResult> => {
    const load = [`--client=${clients}`, `--time=${seconds}`]
    const { stdout } = await run(pgbench, ['-n', '--protocol=prepared', '-f', script, ...load, ...log, url])
    const perSecond = Number(/^tps = ([\d.]+)/m.exec(stdout)?.[1])
    const tookMs = await transactionsIn(folder)
    // Making the connections counts: on a busy machine that may be all.
    if (Number.isNaN(perSecond) || tookMs.length < clients) return insertFor(clients, 2 * seconds)
    return { requests: tookMs.length, perSecond, ...latency(tookMs) }
  }
  return {
    program: version,
    // Whole seconds are the least it can be told, and many connections take most of one.
    insertFor: (clients, durationMs) => insertFor(clients, Math.ceil(durationMs / 1000) + Math.floor(clients / 100)),
    stop: async () => {},
  }
}

/** What each transaction took, from logs that are not needed any more. */
async function transactionsIn(folder: string): Promise<number[]> {
  const tookMs: number[] = []
  for (const name of await readdir(folder)) {
    if (!name.startsWith('transactions.')) continue
    const log = await readFile(join(folder, name), 'latin1')
    // Client, number, microseconds, and when.
    for (const line of log.split('\n')) if (line !== '') tookMs.push(Number(line.split(' ', 3)[2]) / 1000)
    await rm(join(folder, name))
  }
  return tookMs
}

function ownInserts(url: string): SingleInserts {
  const child = fork(join(import.meta.dirname, 'reference-inserts.ts'), [url])
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('The process of the single inserts ended')))
  ended.catch(() => {})
  return {
    program: 'a Node process of its own, since there is no pgbench',
    insertFor: async (clients, durationMs) => {
      const answered = once(child, 'message')
      child.send({ clients, durationMs })
      const [result] = (await Promise.race([answered, ended])) as [LoadResult]
      return result
    },
    stop: async () => {
      if (child.connected) child.disconnect()
      await ended.catch(() => {})
    },
  }
}
