/** Holds the data folder named on the command line until it is killed; prints one line when it has it. */
import { openSqlite } from '../../storage/sqlite/open-sqlite.ts'

const [, , dataDir = ''] = process.argv
try {
  await openSqlite({ dataDir, clock: { nowMs: () => 1 } })
  console.log('open')
  setInterval(() => {}, 1000)
} catch (error) {
  console.log(String(error))
}
