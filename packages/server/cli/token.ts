import { type Command, Option } from 'commander'
import { repeated, uuid, wholeNumber } from './arguments.ts'
import { callAndPrint } from './call-and-print.ts'
import type { Envelope } from './call-api.ts'
import { addConnectionOptions, type ConnectionOptions, readSecretFile } from './connection.ts'
import type { Context } from './context.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { withExample } from './help.ts'
import { renderRecord, renderTable } from './render.ts'
import { UsageError } from './usage-error.ts'

const TOKENS = '/api/v1/tokens'

export function addTokenCommands(program: Command, context: Context): void {
  const token = program.command('token').description('Issue, list, revoke and verify tokens')
  addCreate(token, context)
  addList(token, context)
  addShow(token, context)
  addRevoke(token, context)
  addVerify(token, context)
}

interface CreateOptions extends ConnectionOptions {
  readonly name: string
  readonly description?: string
  readonly expiresInDays?: number
  readonly scope?: readonly string[]
}

function addCreate(token: Command, context: Context): void {
  const command = token
    .command('create')
    .description('Issue a token; it is shown this once')
    .requiredOption('--name <name>', 'What the token is for')
    .option('--description <text>', 'More about it')
    .option('--expires-in-days <days>', 'Days until it expires, 365 at most and by default', wholeNumber)
    .option('--scope <scope>', 'What it may do; repeat for more; everything you may do when absent', repeated)
    .action((options: CreateOptions) =>
      callAndPrint(
        context,
        options,
        ({ businessId }) => ({
          method: 'POST',
          path: TOKENS,
          body: {
            name: options.name,
            description: options.description,
            expires_in_days: options.expiresInDays,
            scopes: options.scope,
          },
          businessId,
        }),
        { text: renderIssued, showsToken: true },
      ),
    )
  withExample(
    addConnectionOptions(command),
    'rescind token create --name deploy --expires-in-days 30 --scope deploy:run',
  )
}

interface ListOptions extends ConnectionOptions {
  readonly all?: true
  readonly userEmail?: string
  readonly includeRevoked?: true
  readonly sortBy?: string
  readonly ascending?: true
  readonly limit?: number
  readonly cursor?: string
  readonly direction?: string
  readonly total?: true
}

function addList(token: Command, context: Context): void {
  const command = token
    .command('list')
    .description('List tokens: your own, unless an option says otherwise')
    .option('--all', 'Tokens of every member (owner and admin)')
    .option('--user-email <email>', 'Tokens of this member (owner and admin)')
    .option('--include-revoked', 'Revoked tokens too')
    .addOption(new Option('--sort-by <field>').choices(['created_at', 'name', 'expires_at', 'last_used_at']))
    .option('--ascending', 'Smallest or oldest first')
    .option('--limit <count>', 'Tokens on a page, 50 by default, 1000 at most', wholeNumber)
    .option('--cursor <cursor>', 'Continue where a page ended')
    .addOption(new Option('--direction <direction>', 'Which way to go from the cursor').choices(['next', 'prev']))
    .option('--total', 'Count all of them too')
    .action((options: ListOptions) =>
      callAndPrint(
        context,
        options,
        ({ businessId }) => ({
          method: 'GET',
          path: TOKENS,
          query: {
            all: options.all,
            user_email: options.userEmail,
            include_revoked: options.includeRevoked,
            sort_by: options.sortBy,
            descending: options.ascending === undefined ? undefined : false,
            limit: options.limit,
            cursor: options.cursor,
            direction: options.direction,
            include_total_count: options.total,
          },
          businessId,
        }),
        { text: renderPage },
      ),
    )
  withExample(addConnectionOptions(command), 'rescind token list --include-revoked --sort-by expires_at --ascending')
}

function addShow(token: Command, context: Context): void {
  const command = token
    .command('show')
    .description('Show one token, never its secret')
    .argument('<token-id>', 'Id of the token', uuid)
    .action((id: string, options: ConnectionOptions) =>
      callAndPrint(context, options, ({ businessId }) => ({ method: 'GET', path: `${TOKENS}/${id}`, businessId })),
    )
  withExample(addConnectionOptions(command), 'rescind token show 01980a5e-7c1f-7a30-8d4b-2f6f7d0c9a11')
}

function addRevoke(token: Command, context: Context): void {
  const command = token
    .command('revoke')
    .description('Revoke a token for good; when this ends with 0, it is dead everywhere')
    .argument('<token-id>', 'Id or jti of the token', uuid)
    .option('--reason <text>', 'Why, for the record')
    .action((id: string, options: ConnectionOptions & { readonly reason?: string }) =>
      callAndPrint(context, options, ({ businessId }) => ({
        method: 'POST',
        path: `${TOKENS}/${id}/revoke`,
        body: { reason: options.reason },
        businessId,
      })),
    )
  withExample(
    addConnectionOptions(command),
    'rescind token revoke 01980a5e-7c1f-7a30-8d4b-2f6f7d0c9a11 --reason leaked',
  )
}

interface VerifyOptions extends ConnectionOptions {
  readonly forBusiness?: string
  readonly forScope?: readonly string[]
}

function addVerify(token: Command, context: Context): void {
  const command = token
    .command('verify')
    .description(
      'Ask whether a token is valid; read from a file or stdin, since arguments show in the list of processes',
    )
    .argument('[file]', 'File that holds the token; - is stdin', '-')
    .option('--for-business <uuid>', 'Valid only if it belongs to this business', uuid)
    .option('--for-scope <scope>', 'Valid only if it has this scope; repeat for more', repeated)
    .action(async (file: string, options: VerifyOptions) => {
      const presented = file === '-' ? (await context.readStdin()).trim() : await readSecretFile(context, file)
      if (presented === '')
        throw new UsageError('There is no token to verify; pipe it in or name a file that holds it.')
      await callAndPrint(
        context,
        options,
        ({ businessId }) => ({
          method: 'POST',
          path: `${TOKENS}/verify`,
          body: { token: presented, business_id: options.forBusiness, scopes: options.forScope },
          businessId,
        }),
        { exitCode: ({ status }) => (status === 'valid' ? EXIT_CODES.ok.code : EXIT_CODES.tokenRejected.code) },
      )
    })
  withExample(addConnectionOptions(command), 'rescind token verify --for-scope deploy:run < token.txt')
}

function renderIssued(data: Envelope['data']): string {
  const info = typeof data.token_info === 'object' ? data.token_info : {}
  return renderRecord({ token: data.token, ...info })
}

const COLUMNS = ['id', 'name', 'token_prefix', 'scopes', 'created_at', 'expires_at', 'last_used_at', 'revoked_at']

function renderPage(data: Envelope['data']): string {
  const table = renderTable(Array.isArray(data.items) ? data.items : [], COLUMNS)
  const { total, next_cursor, prev_cursor } = data
  const places = Object.entries({ total, next_cursor, prev_cursor }).filter(([, value]) => value != null)
  return places.length === 0 ? table : `${table}\n${renderRecord(Object.fromEntries(places))}`
}
