import type { Command } from 'commander'
import { type ConfigFlags, readConfig } from '../config.ts'
import type { Moved } from '../server.ts'
import type { Context } from './context.ts'
import { withExample } from './help.ts'
import { renderRecord } from './render.ts'
import { addConfigOptions } from './service.ts'

interface MoveFlags extends ConfigFlags {
  readonly json?: boolean
}

/** The commands that take an installation from one database to another, while it is stopped. */
export function addMoveCommands(program: Command, context: Context): void {
  const exporting = program
    .command('export')
    .description('Write a stopped installation to a file, for another database; the data folder never serves again')
    .argument('<file>', 'Where to; it must not exist')
    .option('--json', 'Print the result as one line of JSON on stdout')
    .action(async (file: string, { json = false, ...flags }: MoveFlags) => {
      const { exportTo } = await import('../server.ts')
      say(context, json, await exportTo(readConfig(context.env, flags), file))
      if (!json) context.stderr(EXPORTED)
    })
  withExample(addConfigOptions(exporting), 'rescind export rescind.jsonl --data-dir ./data')

  const importing = program
    .command('import')
    .description('Bring what was exported into an empty database: the one of DATABASE_URL, or a data folder')
    .argument('<file>', 'What `rescind export` wrote')
    .option('--json', 'Print the result as one line of JSON on stdout')
    .action(async (file: string, { json = false, ...flags }: MoveFlags) => {
      const { importFrom } = await import('../server.ts')
      say(context, json, await importFrom(readConfig(context.env, flags), file))
      if (!json) context.stderr(IMPORTED)
    })
  withExample(addConfigOptions(importing), 'DATABASE_URL=postgres://db.internal/rescind rescind import rescind.jsonl')
}

const EXPORTED = `The data folder takes no writes any more and is not served again. Import the file once: two databases made of it would not
know what the other revokes.
The master key is not in it, and without that it cannot be imported: take RESCIND_MASTER_KEY, or the file master.key of the
data folder, along by another way.
`

const IMPORTED = `Start the service on it, with the same master key. Tokens and verifiers go on as they were. Delete the file: it has addresses
and names in it, and imported anywhere again it would be an old copy, which knows nothing of what is revoked from now on.
`

function say({ stdout }: Context, json: boolean, { counts, nextIdx, ...moved }: Moved): void {
  const record = { ...moved, next_idx: nextIdx }
  stdout(json ? `${JSON.stringify({ ...record, counts })}\n` : renderRecord({ ...record, ...counts }))
}
