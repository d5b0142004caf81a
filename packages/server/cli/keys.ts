import { type Command, Option } from 'commander'
import { keyId } from './arguments.ts'
import { callAndPrint } from './call-and-print.ts'
import type { Envelope } from './call-api.ts'
import { addConnectionOptions, type ConnectionOptions } from './connection.ts'
import type { Context } from './context.ts'
import { withExample } from './help.ts'
import { renderRecord, renderTable } from './render.ts'

/** Signing keys belong to the installation: these name no business, so only an operator's token serves. */
export function addKeysCommands(program: Command, context: Context): void {
  const keys = program.command('keys').description('List, rotate and retire signing keys (operator)')

  const list = keys
    .command('list')
    .description('List the signing keys')
    .action((options: ConnectionOptions) =>
      callAndPrint(context, options, () => ({ method: 'GET', path: '/api/v1/keys', businessId: undefined }), {
        text: renderKeys,
      }),
    )
  withExample(addConnectionOptions(list), 'rescind keys list')

  const rotate = keys
    .command('rotate')
    .description('Sign with a new key from now on; tokens of earlier keys stay valid')
    .addOption(new Option('--alg <algorithm>', 'Algorithm of the new key').choices(['EdDSA', 'ES256']))
    .action((options: ConnectionOptions & { readonly alg?: string }) =>
      callAndPrint(context, options, () => ({
        method: 'POST',
        path: '/api/v1/keys/rotate',
        ...(options.alg !== undefined && { body: { alg: options.alg } }),
        businessId: undefined,
      })),
    )
  withExample(addConnectionOptions(rotate), 'rescind keys rotate --alg ES256')

  const retire = keys
    .command('retire')
    .description('Retire a key and revoke every token it signed for good')
    .argument('<kid>', 'Id of the key', keyId)
    .action((kid: string, options: ConnectionOptions) =>
      callAndPrint(context, options, () => ({
        method: 'POST',
        path: `/api/v1/keys/${kid}/retire`,
        businessId: undefined,
      })),
    )
  withExample(addConnectionOptions(retire), 'rescind keys retire NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
}

function renderKeys(data: Envelope['data']): string {
  const items: readonly Record<string, unknown>[] = Array.isArray(data.items) ? data.items : []
  const [first] = items
  return first === undefined ? renderRecord(data) : renderTable(items, Object.keys(first))
}
