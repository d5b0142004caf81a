import { link, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { redactTokens } from '@rescind/protocol'
import type { Command } from 'commander'
import { describeRefusal } from './call-and-print.ts'
import { download, type Refusal } from './call-api.ts'
import { addConnectionOptions, type ConnectionOptions, connect } from './connection.ts'
import type { Context } from './context.ts'
import { withExample } from './help.ts'
import { renderRecord } from './render.ts'
import { UsageError } from './usage-error.ts'

export function addBackupCommand(program: Command, context: Context): void {
  const backup = program
    .command('backup')
    .description('Copy the embedded database of the running service into a file, and check it (operator)')
    .argument('<file>', 'Where to; it must not exist')
    .action((file: string, options: ConnectionOptions) => backUp(context, file, options))
  withExample(addConnectionOptions(backup), 'rescind backup rescind-2026-11-22.db')
}

/** The file gets its name when it is whole and has been checked: what has that name can be restored. */
async function backUp(context: Context, file: string, options: ConnectionOptions): Promise<void> {
  const connection = await connect(context, options)
  const { checkBackup, syncFolder } = await import('../server.ts')
  const part = `${file}.part`
  await refuseExisting(file)
  const target = await openNew(part)
  try {
    const request = { method: 'POST', path: '/api/v1/backup', businessId: undefined } as const
    const refusal = await download(context, connection, request, (chunk) => target.appendFile(chunk))
    if (refusal !== undefined) return refuse(context, options, refusal)
    await target.sync()
    const checked = await checkBackup(part)
    await link(part, file)
    await syncFolder(dirname(file))
    say(context, options, { file, ...checked })
  } catch (error) {
    throw isDiskFull(error)
      ? new UsageError(`The disk of ${JSON.stringify(file)} is full; name a file on another.`)
      : error
  } finally {
    await target.close()
    await rm(part, { force: true })
  }
}

interface Backup {
  readonly file: string
  readonly bytes: number
  readonly seq: number
  readonly lastChangeMs: number
}

function say(context: Context, { json }: ConnectionOptions, { file, bytes, seq, lastChangeMs }: Backup): void {
  const shown = { file, bytes, last_change_at: new Date(lastChangeMs).toISOString(), seq }
  if (json) context.stdout(`${JSON.stringify(shown)}\n`)
  else {
    context.stdout(renderRecord(shown))
    context.stderr(
      'The master key is not in it, and without that it is of no use: keep RESCIND_MASTER_KEY, or the file master.key of the data folder, in another place.\n',
    )
  }
}

function refuse(context: Context, { json }: ConnectionOptions, refusal: Refusal): void {
  if (json) context.stdout(`${redactTokens(JSON.stringify({ detail: refusal.detail }))}\n`)
  else context.stderr(redactTokens(describeRefusal(refusal)))
  context.exit(refusal.exitCode)
}

async function refuseExisting(path: string): Promise<void> {
  const file = await open(path, 'r').catch(() => undefined)
  if (file === undefined) return
  await file.close()
  throw new UsageError(`The file ${JSON.stringify(path)} exists; name one that does not.`)
}

async function openNew(path: string) {
  try {
    return await open(path, 'wx', 0o600)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${error.code})` : ''
    throw new UsageError(
      `Cannot make the file ${JSON.stringify(path)}${code}; if an earlier backup was cut off and left it there, remove it.`,
    )
  }
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
}
