import { ERRORS, redactTokens } from '@rescind/protocol'
import { type ApiRequest, callApi, type Envelope, type Refusal } from './call-api.ts'
import { type Connection, type ConnectionOptions, connect } from './connection.ts'
import type { Context } from './context.ts'
import { EXIT_CODES, type ExitCode } from './exit-codes.ts'
import { printable, renderRecord } from './render.ts'

/** How a success is shown; a record of all its data by default. */
export interface Presentation {
  readonly text?: (data: Envelope['data']) => string
  readonly exitCode?: (data: Envelope['data']) => ExitCode
  /** Only the answer that issues a token may print one. */
  readonly showsToken?: boolean
}

/**
 * What every command over HTTP does: one request, its answer on stdout (or the refusal on stderr, with what to do about
 * it), the exit code that fits.
 *
 * @throws UsageError before anything is sent.
 */
export async function callAndPrint(
  context: Context,
  options: ConnectionOptions,
  request: (connection: Connection) => ApiRequest,
  presentation: Presentation = {},
): Promise<void> {
  const connection = await connect(context, options)
  const answer = await callApi(context, connection, request(connection))
  if ('refusal' in answer) {
    const { detail, exitCode } = answer.refusal
    if (options.json) context.stdout(`${redactTokens(JSON.stringify({ detail }))}\n`)
    else context.stderr(redactTokens(describeRefusal(answer.refusal)))
    context.exit(exitCode)
    return
  }
  const { envelope } = answer
  const { text = renderRecord, exitCode = () => EXIT_CODES.ok.code, showsToken = false } = presentation
  const output = options.json ? `${JSON.stringify(envelope)}\n` : text(envelope.data)
  if (!options.json) context.stderr(redactTokens(`${printable(envelope.message)}\n`))
  context.stdout(showsToken ? output : redactTokens(output))
  context.exit(exitCode(envelope.data))
}

/** For people. */
export function describeRefusal(refusal: Refusal): string {
  const { detail } = refusal
  const problem =
    typeof detail === 'string'
      ? printable(detail)
      : detail.map(({ loc, msg }) => printable(`${loc.join('.')}: ${msg}`)).join('\nerror: ')
  const advice = advise(refusal)
  return `error: ${problem}\n${advice === undefined ? '' : `${advice}\n`}`
}

function advise({ status, detail, retryAfterSeconds }: Refusal): string | undefined {
  if (status === 401) {
    return 'Set RESCIND_TOKEN (or --token-file) to a token that is neither expired nor revoked; `rescind init --recover` makes a new operator token.'
  }
  if (status === 422) return 'Add --help to the command to see what it takes.'
  if (retryAfterSeconds !== undefined) return `Try again in ${retryAfterSeconds} s.`
  switch (detail) {
    case ERRORS.business_header_missing.detail:
      return 'Name the business with --business or RESCIND_BUSINESS_ID.'
    case ERRORS.quota_reached.detail:
      return '`rescind token list` shows them, `rescind token revoke` ends one.'
    case ERRORS.key_in_use.detail:
      return '`rescind keys rotate` puts a new key into use.'
    default:
      return undefined
  }
}
