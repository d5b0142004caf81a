/**
 * `npm run bench`: measures what the design promises as ratios, against what the machine gives at best in the same run,
 * and ends with exit code 1 when a bar is missed.
 *
 * - `--postgres` measures services on PostgreSQL instead, beside inserts of single rows on the same server: one of its own,
 *   whose data are where temporary files are (`TMPDIR`: let that be a disk), or the one that `RESCIND_TEST_DATABASE_URL` names.
 * - `--quick` only shows that everything runs: too short for its figures to mean anything, so no bar fails it.
 * - `--markdown` prints the tables to paste them into a document.
 * - `--profile <folder>` leaves processor profiles of the services there.
 */
import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { measureEmbedded } from './measure-embedded.ts'
import { measurePostgres } from './postgres/measure-postgres.ts'
import { setting } from './report/setting.ts'
import { markdownTable, textTable } from './report/table.ts'

/** Ignored by git, and on the disk that the service's default data folder is on: a folder for temporary files may be memory. */
const SCRATCH = resolve(import.meta.dirname, '../node_modules/.cache')

const { values } = parseArgs({
  options: {
    postgres: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    markdown: { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
})
const options = { quick: values.quick, profileDir: values.profile }

const where = setting(Date.now())
const { tables, notes, missed } = await inScratchFolder((folder) =>
  values.postgres
    ? measurePostgres(folder, { ...options, url: process.env.RESCIND_TEST_DATABASE_URL })
    : measureEmbedded(folder, options),
)
const write = values.markdown ? markdownTable : textTable
const parts = tables.map(({ title, table }) => (title === undefined ? write(table) : `${title}\n\n${write(table)}`))
process.stdout.write(`${[where, ...parts, notes.join('\n')].join('\n\n')}\n`)
if (missed > 0 && !options.quick) process.exitCode = 1

async function inScratchFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  await mkdir(SCRATCH, { recursive: true })
  const folder = await mkdtemp(join(SCRATCH, 'bench-'))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      // After the listeners that end every process that was started.
      process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
      process.exit(1)
    })
  }
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
