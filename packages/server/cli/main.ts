import { redactTokens } from '@rescind/protocol'
import { Command, CommanderError } from 'commander'
import manifest from '../package.json' with { type: 'json' }
import { StartRefused } from '../start-refused.ts'
import { addBackupCommand } from './backup.ts'
import { addBusinessCommands } from './business.ts'
import type { Context } from './context.ts'
import { describeExitCodes, EXIT_CODES } from './exit-codes.ts'
import { withExample } from './help.ts'
import { addKeysCommands } from './keys.ts'
import { addMemberCommands } from './member.ts'
import { addMoveCommands } from './move.ts'
import { addRecoveryCommands } from './recovery.ts'
import { addServiceCommands } from './service.ts'
import { addTokenCommands } from './token.ts'
import { UsageError } from './usage-error.ts'

export { processContext } from './context.ts'

/**
 * Runs one command to its end. Never throws: what goes wrong is printed, without tokens, and becomes the exit code.
 *
 * @param args - without the interpreter and the script.
 */
export async function main(args: readonly string[], context: Context): Promise<void> {
  const json = args.includes('--json')
  try {
    await createProgram(context, json).parseAsync(args, { from: 'user' })
  } catch (error) {
    endWith(error, json, context)
  }
}

/** Every command, not yet run. With `json`, its own complaints about arguments are left to the caller. */
export function createProgram(context: Context, json = false): Command {
  const program = new Command('rescind')
    .description('Self-hosted API tokens: issue, verify, revoke for good')
    .version(manifest.version)
    .exitOverride()
    .configureOutput({
      writeOut: context.stdout,
      writeErr: (text) => json || context.stderr(redactTokens(text)),
    })
    .addHelpText('after', `\n${describeExitCodes()}`)
  addServiceCommands(program, context)
  addTokenCommands(program, context)
  addBusinessCommands(program, context)
  addMemberCommands(program, context)
  addKeysCommands(program, context)
  addBackupCommand(program, context)
  addRecoveryCommands(program, context)
  addMoveCommands(program, context)
  return withExample(
    program,
    'RESCIND_TOKEN="$(cat owner-token)" rescind token list --business 01980a5e-7c1f-7a30-8d4b-2f6f7d0c9a11',
  )
}

function endWith(error: unknown, json: boolean, context: Context): void {
  if (error instanceof CommanderError && error.exitCode === 0) return
  const usage = error instanceof CommanderError || error instanceof UsageError || error instanceof StartRefused
  context.exit(usage ? EXIT_CODES.usage.code : EXIT_CODES.fault.code)
  const detail = redactTokens(usage ? error.message.replace(/^error: /, '') : describeFault(error))
  if (json) context.stdout(`${JSON.stringify({ detail })}\n`)
  else if (!(error instanceof CommanderError)) context.stderr(`error: ${detail}\n`)
}

function describeFault(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
