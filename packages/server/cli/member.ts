import { type Command, Option } from 'commander'
import { uuid } from './arguments.ts'
import { callAndPrint } from './call-and-print.ts'
import { addConnectionOptions, type Connection, type ConnectionOptions } from './connection.ts'
import type { Context } from './context.ts'
import { withExample } from './help.ts'
import { UsageError } from './usage-error.ts'

export function addMemberCommands(program: Command, context: Context): void {
  const member = program.command('member').description('Add and remove members of a business and end their tokens')
  addAdd(member, context)
  addShow(member, context)
  addRemove(member, context)
  addRevokeTokens(member, context)
}

function addAdd(member: Command, context: Context): void {
  const command = member
    .command('add')
    .description('Add a member or change one')
    .argument('[user-id]', 'UUID of the user; a new one when absent', uuid)
    .requiredOption('--email <email>', 'Email address, unique in the business')
    .addOption(
      new Option('--role <role>', 'What the member may do')
        .choices(['owner', 'admin', 'member', 'viewer'])
        .makeOptionMandatory(),
    )
    .action((given: string | undefined, options: ConnectionOptions & { email: string; role: string }) => {
      const id = given ?? context.randomUuid()
      return callAndPrint(context, options, (connection) => ({
        method: 'PUT',
        path: path(connection, id),
        body: { email: options.email, role: options.role },
        businessId: connection.businessId,
      }))
    })
  withExample(addConnectionOptions(command), 'rescind member add --email ada@example.com --role admin')
}

function addShow(member: Command, context: Context): void {
  const command = member
    .command('show')
    .description('Show one member')
    .argument('<user-id>', 'UUID of the user', uuid)
    .action((id: string, options: ConnectionOptions) =>
      callAndPrint(context, options, (connection) => ({
        method: 'GET',
        path: path(connection, id),
        businessId: connection.businessId,
      })),
    )
  withExample(addConnectionOptions(command), 'rescind member show 6f1c2d1e-8a55-4c6e-9a43-0d7f5b1f2c34')
}

function addRemove(member: Command, context: Context): void {
  const command = member
    .command('remove')
    .description('Remove a member and revoke every token of theirs for good')
    .argument('<user-id>', 'UUID of the user', uuid)
    .action((id: string, options: ConnectionOptions) =>
      callAndPrint(context, options, (connection) => ({
        method: 'DELETE',
        path: path(connection, id),
        businessId: connection.businessId,
      })),
    )
  withExample(addConnectionOptions(command), 'rescind member remove 6f1c2d1e-8a55-4c6e-9a43-0d7f5b1f2c34')
}

function addRevokeTokens(member: Command, context: Context): void {
  const command = member
    .command('revoke-tokens')
    .description('Revoke every token of a member for good; the member stays')
    .argument('<user-id>', 'UUID of the user', uuid)
    .option('--reason <text>', 'Why, for the record')
    .action((id: string, options: ConnectionOptions & { readonly reason?: string }) =>
      callAndPrint(context, options, (connection) => ({
        method: 'POST',
        path: `${path(connection, id)}/revoke-tokens`,
        body: { reason: options.reason },
        businessId: connection.businessId,
      })),
    )
  withExample(
    addConnectionOptions(command),
    'rescind member revoke-tokens 6f1c2d1e-8a55-4c6e-9a43-0d7f5b1f2c34 --reason "lost laptop"',
  )
}

function path(connection: Connection, userId: string): string {
  if (connection.businessId === undefined) {
    throw new UsageError('No business named; use --business or RESCIND_BUSINESS_ID.')
  }
  return `/api/v1/businesses/${connection.businessId}/members/${userId}`
}
