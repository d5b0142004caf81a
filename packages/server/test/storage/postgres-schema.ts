import { randomUUID } from 'node:crypto'
import type { Timers } from '@rescind/protocol'
import { Client, type QueryResultRow } from 'pg'
import { timers as realTimers } from '../../machine.ts'
import { openPostgres, type PostgresOptions } from '../../storage/postgres/open-postgres.ts'
import type { Storage } from '../../storage/storage.ts'
import { NOW_MS } from './fixtures.ts'

/** Whatever runs a function when it ends. */
interface Lifetime {
  after(end: () => Promise<unknown>): void
}

/** A storage, as one node of several has it. */
export interface OpenedNode extends Storage {
  /** What its connections call themselves. */
  readonly application: string
  /** What went wrong and was tried again. */
  readonly troubles: readonly unknown[]
}

type Changes = Partial<PostgresOptions> & { readonly timers?: Timers }

/** What looks at the log from time to time never does: whatever arrives, a notification was the reason. */
export const withoutPolls: Timers = {
  after: (delayMs, run) => (delayMs === 250 ? () => {} : realTimers.after(delayMs, run)),
}

/** A schema on the server for tests, with as many storages on it as a test likes. It is dropped at the end. */
export class PostgresSchema {
  readonly name = `test_${randomUUID().replaceAll('-', '')}`
  readonly #url: string
  readonly #storages: Storage[] = []
  readonly #sessions: Client[] = []

  constructor(t: Lifetime, url: string) {
    this.#url = url
    t.after(() => this.#destroy())
  }

  async open({ timers = realTimers, ...changes }: Changes = {}): Promise<OpenedNode> {
    const troubles: unknown[] = []
    const application = `${this.name}_${this.#storages.length}`
    const url = new URL(changes.url ?? this.#url)
    url.searchParams.set('application_name', application)
    const storage = await openPostgres(
      { schema: this.name, poolSize: 3, listen: true, ...changes, url: url.href },
      {
        clocks: { nowMs: () => NOW_MS, monotonicMs: () => performance.now() },
        timers,
        onTrouble: (error) => troubles.push(error),
      },
    )
    this.#storages.push(storage)
    return Object.assign(storage, { application, troubles })
  }

  /** A session of somebody else, which finds the tables without naming the schema. */
  async session(url = this.#url): Promise<Client> {
    const client = new Client({ connectionString: url, options: `-c search_path=${this.name}` })
    client.on('error', () => {})
    this.#sessions.push(client)
    await client.connect()
    return client
  }

  /** Runs statements behind the back of every storage. */
  async query<Row extends QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const client = await this.session()
    try {
      return (await client.query<Row>(text, [...values])).rows
    } finally {
      await client.end()
    }
  }

  /** Ends the connections of a node whose last statement is like a pattern of SQL. @returns how many there were */
  async terminate({ application }: OpenedNode, statement = '%'): Promise<number> {
    const ended = await this.query(
      `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = $1 AND query LIKE $2`,
      [application, statement],
    )
    return ended.length
  }

  async #destroy(): Promise<void> {
    await Promise.all(this.#storages.map((storage) => storage.close()))
    await Promise.all(this.#sessions.map((client) => client.end()))
    const client = new Client(this.#url)
    await client.connect()
    await client.query(`DROP SCHEMA IF EXISTS "${this.name}" CASCADE`)
    await client.end()
  }
}
