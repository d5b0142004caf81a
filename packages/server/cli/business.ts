import type { Command } from 'commander'
import { uuid } from './arguments.ts'
import { callAndPrint } from './call-and-print.ts'
import { addConnectionOptions, type ConnectionOptions } from './connection.ts'
import type { Context } from './context.ts'
import { withExample } from './help.ts'

/** The id in the path is the business these act in, whatever --business says. */
export function addBusinessCommands(program: Command, context: Context): void {
  const business = program.command('business').description('Create businesses and end all their tokens at once')

  const create = business
    .command('create')
    .description('Create a business or rename it')
    .argument('[business-id]', 'Its UUID; a new one when absent', uuid)
    .requiredOption('--name <name>', 'Its name')
    .action((given: string | undefined, options: ConnectionOptions & { readonly name: string }) => {
      const id = given ?? context.randomUuid()
      return callAndPrint(context, options, () => ({
        method: 'PUT',
        path: path(id),
        body: { name: options.name },
        businessId: id,
      }))
    })
  withExample(addConnectionOptions(create), 'rescind business create --name "Example Ltd"')

  const show = business
    .command('show')
    .description('Show one business')
    .argument('<business-id>', 'Its UUID', uuid)
    .action((id: string, options: ConnectionOptions) =>
      callAndPrint(context, options, () => ({ method: 'GET', path: path(id), businessId: id })),
    )
  withExample(addConnectionOptions(show), 'rescind business show 01980a5e-7c1f-7a30-8d4b-2f6f7d0c9a11')

  const revoke = business
    .command('revoke-tokens')
    .description('Revoke every token of the business for good')
    .argument('<business-id>', 'Its UUID', uuid)
    .option('--reason <text>', 'Why, for the record')
    .action((id: string, options: ConnectionOptions & { readonly reason?: string }) =>
      callAndPrint(context, options, () => ({
        method: 'POST',
        path: `${path(id)}/revoke-tokens`,
        body: { reason: options.reason },
        businessId: id,
      })),
    )
  withExample(
    addConnectionOptions(revoke),
    'rescind business revoke-tokens 01980a5e-7c1f-7a30-8d4b-2f6f7d0c9a11 --reason "contract ended"',
  )
}

function path(id: string): string {
  return `/api/v1/businesses/${id}`
}
