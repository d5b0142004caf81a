/** A program that starts a server, and a standby of it, and never stops them. */
import { startPostgres } from '../start-postgres.ts'
import { startStandby } from '../start-standby.ts'

await startStandby(await startPostgres())
setInterval(() => {}, 1_000)
