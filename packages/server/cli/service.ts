import type { Command } from 'commander'
import { type Config, type ConfigFlags, readConfig, SETTINGS } from '../config.ts'
import { StartRefused } from '../start-refused.ts'
import type { Context } from './context.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { withExample } from './help.ts'
import { firstTokenLines, welcome } from './welcome.ts'

/** The commands that are the service itself. The server is loaded by these alone, so that the others start fast. */
export function addServiceCommands(program: Command, context: Context): void {
  const serveCommand = program
    .command('serve')
    .description('Run the service; the first start prints its tokens once')
    .action((flags: ConfigFlags) => serve(readConfig(context.env, flags), context))
  withExample(addConfigOptions(serveCommand), 'rescind serve --port 8080 --data-dir ./data')

  const initCommand = program
    .command('init')
    .description(
      'Set the database up without serving, or recover access to it (with a data folder, while the service is stopped)',
    )
    .option('--recover', 'Issue a new operator token and print it')
    .action(({ recover = false, ...flags }: ConfigFlags & { readonly recover?: boolean }) =>
      init(readConfig(context.env, flags), recover, context),
    )
  withExample(addConfigOptions(initCommand), 'rescind init --recover --data-dir ./data')
}

/** Runs the service until a signal stops it or its storage fails; the exit code tells which it was. */
async function serve(config: Config, { stdout, exit }: Context): Promise<void> {
  const { startService } = await import('../server.ts')
  const service = await startService(config)
  // Before anything is printed: whoever reads that it listens may ask it to stop at once.
  const ending = Promise.race([signalled(), service.failed])
  stdout(`Listening  ${service.url}\n`)
  if (service.firstTokens) stdout(welcome(service.url, service.firstTokens))
  if ((await ending) instanceof Error) exit(EXIT_CODES.fault.code)
  await service.stop()
}

/**
 * Resolves at the first signal to stop. Later ones are heard and change nothing: a terminal and npm both send one for the
 * same Ctrl-C, and requests in flight may finish all the same.
 */
function signalled(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve())
  return promise
}

async function init(config: Config, recover: boolean, { stdout }: Context): Promise<void> {
  const { recoverOperatorToken, setUp } = await import('../server.ts')
  const firstTokens = await setUp(config)
  if (firstTokens) stdout(firstTokenLines(firstTokens))
  else if (recover) stdout(`Operator token  ${await recoverOperatorToken(config)}\n`)
  else {
    const place = config.databaseUrl === undefined ? `The folder ${config.dataDir}` : 'The database of DATABASE_URL'
    throw new StartRefused(
      `${place} is set up already; add --recover for a new operator token, or start it with serve.`,
    )
  }
}

/** Every setting as an option of a command that reads them. */
export function addConfigOptions(command: Command): Command {
  for (const { flag, variable, about, fallback } of Object.values(SETTINGS)) {
    if (flag !== undefined) {
      command.option(flag, `${about} (${variable}${fallback === undefined ? '' : `, default ${fallback}`})`)
    }
  }
  const secrets = Object.values(SETTINGS).filter(({ flag }) => flag === undefined)
  const lines = secrets.map(({ variable, about }) => `  ${variable}  ${about}`)
  return command.addHelpText('after', `\nSecret, so never an argument:\n${lines.join('\n')}`)
}
