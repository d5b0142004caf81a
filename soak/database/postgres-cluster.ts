import { setTimeout as pause } from 'node:timers/promises'
import type { PostgresServer } from '../../postgres/postgres-server.ts'
import { startPostgres } from '../../postgres/start-postgres.ts'
import { startStandby, synchronised } from '../../postgres/start-standby.ts'

/** What the sessions of services call themselves. */
const APPLICATION = 'rescind'

/**
 * A PostgreSQL server with a synchronous standby, and what happens to both. Each of these resolves when it is over and
 * the standby has everything again; none may begin before that.
 */
export class PostgresCluster {
  #primary: PostgresServer
  #standby: PostgresServer
  #isClosed = false

  private constructor(primary: PostgresServer, standby: PostgresServer) {
    this.#primary = primary
    this.#standby = standby
  }

  static async open(): Promise<PostgresCluster> {
    const primary = await startPostgres()
    return new PostgresCluster(primary, await startStandby(primary))
  }

  /** Of whichever is primary. */
  get port(): number {
    return this.#primary.port
  }

  /** Crashes, and comes back after a while. */
  async crash(downMs: number): Promise<void> {
    await this.#primary.kill()
    await pause(downMs)
    if (this.#isClosed) return
    await this.#primary.start()
    await synchronised(this.#primary)
  }

  /**
   * Loses the process of one session of a service, which ends all others.
   *
   * @param share which one: at least 0, less than 1
   */
  async loseBackend(share: number): Promise<void> {
    const backends = (await this.#primary.backends()).filter(({ application }) => application === APPLICATION)
    const lost = backends[Math.floor(share * backends.length)]
    if (lost !== undefined) this.#primary.killBackend(lost.pid)
    await synchronised(this.#primary)
  }

  async pausePrimary(lastsMs: number): Promise<void> {
    await this.#pause(this.#primary, lastsMs)
  }

  async pauseStandby(lastsMs: number): Promise<void> {
    await this.#pause(this.#standby, lastsMs)
  }

  /**
   * The primary crashes for ever; after a while the standby takes its place, and gets a standby of its own. What was
   * confirmed is on the standby at any time; so is, when this begins, what services may have seen without that.
   */
  async failOver(downMs: number): Promise<void> {
    await synchronised(this.#primary)
    const fenced = this.#primary
    await fenced.kill()
    await pause(downMs)
    if (this.#isClosed) return
    await this.#standby.promote()
    this.#primary = this.#standby
    await fenced.stop()
    this.#standby = await startStandby(this.#primary)
    if (this.#isClosed) await this.close()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([this.#primary.stop(), this.#standby.stop()])
  }

  async #pause(server: PostgresServer, lastsMs: number): Promise<void> {
    server.pause()
    await pause(lastsMs)
    if (this.#isClosed) return
    server.resume()
    await synchronised(this.#primary)
  }
}
