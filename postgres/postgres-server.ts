import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Client, type QueryResultRow } from 'pg'
import type { Binaries } from './binaries.ts'
import { type Guardian, guard } from './guardian.ts'
import { childrenOf, isAlive, signalTree } from './process-tree.ts'
import { unprivilegedUser } from './unprivileged-user.ts'

export interface ServerSetting {
  readonly binaries: Binaries
  /** Of this server alone, absolute; its data is in `data` in it. */
  readonly folder: string
  readonly port: number
}

/** A session that a client has with a server. */
export interface Backend {
  readonly pid: number
  /** What the client calls itself. */
  readonly application: string
  readonly state: string | null
}

const LOOK_MS = 20
const START_MS = 60_000
const LOG_SHOWN = 2_000

/**
 * A PostgreSQL server of this process, on 127.0.0.1, which everybody may use as `postgres`. It keeps its port from one
 * start to the next. When this process ends, whatever ends it, the server does, and its folder is removed.
 */
export class PostgresServer {
  readonly #setting: ServerSetting
  readonly #guardian: Guardian
  #postmaster: ChildProcess | undefined
  #isPaused = false

  /** @param setting of a server that nobody runs; it is set up before it is started */
  constructor(setting: ServerSetting) {
    this.#setting = setting
    this.#guardian = guard(setting.folder)
  }

  get binaries(): Binaries {
    return this.#setting.binaries
  }

  get folder(): string {
    return this.#setting.folder
  }

  get dataDir(): string {
    return join(this.#setting.folder, 'data')
  }

  get port(): number {
    return this.#setting.port
  }

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`
  }

  /** @throws Error while it does not run */
  get postmasterPid(): number {
    const pid = this.#postmaster?.pid
    if (pid === undefined) throw new Error('The PostgreSQL server does not run')
    return pid
  }

  /** False once it has ended, whatever for. */
  get isRunning(): boolean {
    return this.#postmaster !== undefined
  }

  /** Everything it wrote so far, over all its starts. */
  get log(): string {
    return readFileSync(join(this.folder, 'server.log'), 'utf8')
  }

  /** Resolves when it accepts connections, after whatever it has to recover from. */
  async start(): Promise<void> {
    if (this.#postmaster) throw new Error('The PostgreSQL server runs already')
    const log = openSync(join(this.folder, 'server.log'), 'a')
    const args = ['-D', this.dataDir, '-p', String(this.port), '-k', this.folder]
    const postmaster = spawn(this.binaries.postgres, args, {
      stdio: ['ignore', log, log],
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      // What ends this process from a terminal leaves the end of this one to the guardian.
      detached: true,
      ...unprivilegedUser(),
    })
    closeSync(log)
    this.#postmaster = postmaster
    postmaster.once('exit', () => {
      if (this.#postmaster === postmaster) this.#postmaster = undefined
    })
    await this.#accepts(postmaster)
  }

  /** In order: what is under way is rolled back. It can be started again. */
  async halt(): Promise<void> {
    await this.#end(({ pid = 0 }) => process.kill(pid, 'SIGINT'))
  }

  /** Ends it for good and removes its data. */
  async stop(): Promise<void> {
    // Nobody needs what it would still do in order.
    await this.#end(({ pid = 0 }) => process.kill(pid, 'SIGQUIT'))
    this.#guardian.dismiss()
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }

  /** As when its machine crashes: every process of it is gone at once (SIGKILL). It can be started again. */
  async kill(): Promise<void> {
    await this.#end(({ pid = 0 }) => signalTree(pid, 'SIGKILL'))
    // Its id may belong to somebody else soon.
    await rm(join(this.dataDir, 'postmaster.pid'), { force: true })
  }

  /** Stands still (SIGSTOP): connections stay, new ones are accepted by the system, and nobody answers. */
  pause(): void {
    this.#isPaused = true
    signalTree(this.postmasterPid, 'SIGSTOP')
  }

  resume(): void {
    this.#isPaused = false
    signalTree(this.postmasterPid, 'SIGCONT')
  }

  /** The sessions of clients, but for the one that asks. */
  backends(): Promise<Backend[]> {
    return this.query<Backend & QueryResultRow>(
      `SELECT pid, application_name AS application, state FROM pg_stat_activity
       WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY pid`,
    )
  }

  /** Kills the process of one session (SIGKILL): the server ends all others too, and recovers. */
  killBackend(pid: number): void {
    process.kill(pid, 'SIGKILL')
  }

  /** Makes a primary out of a standby. Resolves when it takes writes. */
  async promote(): Promise<void> {
    await this.query('SELECT pg_promote(true, 60)')
    const [row] = await this.query('SELECT pg_is_in_recovery() AS recovers')
    if (row?.recovers !== false) throw new Error('The standby was not promoted')
  }

  /** Runs one statement on a connection of its own. */
  async query<Row extends QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return this.withClient(async (client) => (await client.query<Row>(text, [...values])).rows)
  }

  async withClient<T>(use: (client: Client) => Promise<T>): Promise<T> {
    const client = new Client({ connectionString: this.url, application_name: 'observer' })
    // A connection that breaks fails what is asked on it.
    client.on('error', () => {})
    await client.connect()
    try {
      return await use(client)
    } finally {
      await client.end().catch(() => {})
    }
  }

  async #accepts(postmaster: ChildProcess): Promise<void> {
    const giveUpMs = performance.now() + START_MS
    for (;;) {
      const refused = await this.query('SELECT 1').then(
        () => undefined,
        (error: unknown) => error,
      )
      if (refused === undefined) return
      if (this.#postmaster !== postmaster) throw this.#failure('ended when it was started')
      if (performance.now() > giveUpMs) throw this.#failure(`does not accept connections: ${refused}`)
      await pause(LOOK_MS)
    }
  }

  async #end(signal: (postmaster: ChildProcess) => void): Promise<void> {
    const postmaster = this.#postmaster
    this.#postmaster = undefined
    if (postmaster === undefined || postmaster.exitCode !== null || postmaster.signalCode !== null) return
    const exited = once(postmaster, 'exit')
    const { pid = 0 } = postmaster
    if (this.#isPaused) signalTree(pid, 'SIGCONT')
    this.#isPaused = false
    const children = childrenOf(pid)
    signal(postmaster)
    await exited
    while (children.some(isAlive)) await pause(1)
  }

  #failure(what: string): Error {
    return new Error(`The PostgreSQL server ${what}: ${this.log.slice(-LOG_SHOWN)}`)
  }
}
