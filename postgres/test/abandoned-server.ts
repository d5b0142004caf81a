/** A program that starts a server, tells its postmaster and folder, and never stops it. */
import { startPostgres } from '../start-postgres.ts'

const { postmasterPid, folder } = await startPostgres()
process.send?.({ postmasterPid, folder })
setInterval(() => {}, 1_000)
