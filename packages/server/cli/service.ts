import type { Command } from 'commander'
import { type ConfigFlags, readConfig, SETTINGS } from '../config.ts'
import type { Context } from './context.ts'
import { withExample } from './help.ts'

/** The commands that are the service itself. The server is loaded by these alone, so that the others start fast. */
export function addServiceCommands(program: Command, context: Context): void {
  const serve = program
    .command('serve')
    .description('Run the service; the first start prints its tokens once')
    .action(async (flags: ConfigFlags) => {
      const config = readConfig(context.env, flags)
      const server = await import('../server.ts')
      await server.serve(config)
    })
  withExample(addConfigOptions(serve), 'rescind serve --port 8080 --data-dir ./data')

  const init = program
    .command('init')
    .description('Set the data folder up without serving, or recover access to it while the service is stopped')
    .option('--recover', 'Issue a new operator token and print it')
    .action(async ({ recover = false, ...flags }: ConfigFlags & { readonly recover?: boolean }) => {
      const config = readConfig(context.env, flags)
      const server = await import('../server.ts')
      await server.init(config, { recover })
    })
  withExample(addConfigOptions(init), 'rescind init --recover --data-dir ./data')
}

function addConfigOptions(command: Command): Command {
  for (const { flag, variable, about, fallback } of Object.values(SETTINGS)) {
    if (flag !== undefined) {
      command.option(flag, `${about} (${variable}${fallback === undefined ? '' : `, default ${fallback}`})`)
    }
  }
  return command.addHelpText(
    'after',
    `\nSecret, so never an argument:\n  ${SETTINGS.masterKey.variable}  ${SETTINGS.masterKey.about}`,
  )
}
