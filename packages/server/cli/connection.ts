import { isUuid } from '@rescind/protocol'
import type { Command } from 'commander'
import type { Context } from './context.ts'
import { UsageError } from './usage-error.ts'

/** The options that every command over HTTP has. */
export interface ConnectionOptions {
  readonly url?: string
  readonly tokenFile?: string
  readonly business?: string
  readonly as?: string
  readonly json?: boolean
}

/** Where requests go and as whom. */
export interface Connection {
  /** Without a trailing slash. */
  readonly baseUrl: string
  readonly token: string
  readonly businessId: string | undefined
  readonly userEmail: string | undefined
}

const DEFAULT_URL = 'http://127.0.0.1:8080'

export function addConnectionOptions(command: Command): Command {
  return command
    .option('--url <url>', `Address of the service (RESCIND_URL, default ${DEFAULT_URL})`)
    .option('--token-file <path>', 'File that holds the token to call with (default: RESCIND_TOKEN)')
    .option('--business <uuid>', 'Business to act in (RESCIND_BUSINESS_ID)')
    .option('--as <email>', 'Member an operator acts for (RESCIND_USER_EMAIL)')
    .option('--json', 'Print the answer or the error as one line of JSON on stdout')
}

/**
 * Options win over the environment.
 *
 * @throws UsageError for a missing token or a value that cannot be sent.
 */
export async function connect(context: Context, options: ConnectionOptions): Promise<Connection> {
  const { env } = context
  return {
    baseUrl: parseUrl(options.url ?? (env.RESCIND_URL || DEFAULT_URL)),
    token: await readToken(context, options.tokenFile),
    businessId: parseBusinessId(options.business ?? (env.RESCIND_BUSINESS_ID || undefined)),
    userEmail: parseUserEmail(options.as ?? (env.RESCIND_USER_EMAIL || undefined)),
  }
}

/** The text of a file without the line end that editors put there. */
export async function readSecretFile(context: Context, path: string): Promise<string> {
  try {
    return (await context.readFile(path)).trim()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${error.code})` : ''
    throw new UsageError(`Cannot read the file ${JSON.stringify(path)}${code}; name one that holds a token.`)
  }
}

async function readToken(context: Context, path: string | undefined): Promise<string> {
  const token = path === undefined ? context.env.RESCIND_TOKEN?.trim() : await readSecretFile(context, path)
  const source = path === undefined ? 'RESCIND_TOKEN' : `The file ${JSON.stringify(path)}`
  if (token === undefined || (token === '' && path === undefined)) {
    throw new UsageError('No token to call with; set RESCIND_TOKEN or name a file with --token-file.')
  }
  // What fetch says of a header it cannot send repeats the header.
  if (!/^[\x21-\x7e]+$/.test(token)) throw new UsageError(`${source} does not hold exactly one token.`)
  return token
}

function parseUrl(text: string): string {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw new UsageError(
      'The address of the service (--url or RESCIND_URL) must be an http or https URL without credentials, query or fragment.',
    )
  }
  return url.href.replace(/\/$/, '')
}

function parseBusinessId(text: string | undefined): string | undefined {
  if (text === undefined || isUuid(text)) return text
  throw new UsageError('The business (--business or RESCIND_BUSINESS_ID) must be a UUID in lower case.')
}

function parseUserEmail(text: string | undefined): string | undefined {
  if (text === undefined || /^[\x21-\x7e]+$/.test(text)) return text
  throw new UsageError('The email address (--as or RESCIND_USER_EMAIL) must be ASCII without spaces.')
}
