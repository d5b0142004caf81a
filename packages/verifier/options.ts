import { isHeaderValue, type TokenSource } from './credential.ts'
import { type Environment, THIS_PROCESS } from './environment.ts'

export interface VerifierOptions {
  /** Of the service, `http:` or `https:`, with or without a path in front of its own. */
  readonly url: string | URL
  /** With the scope `feed`; online, `introspect` is enough. A function is asked for one whenever a connection is made, and may hand out another each time. */
  readonly token: TokenSource
  /**
   * `attached`, unless given: follows the service and decides in memory. `online`: asks the service each time, for
   * processes that may be frozen with all their clocks, such as serverless functions.
   */
  readonly mode?: 'attached' | 'online'
  /** While no lease holds: `ask` the service, unless given, or `reject`, which leaves everything undecided. */
  readonly onLapse?: 'ask' | 'reject'
  /** What the service must call itself in the tokens it issues. */
  readonly issuer?: string
  /** How long to try before the first lease; 10,000 ms unless given. */
  readonly startTimeoutMs?: number
  /** How long the service may take to answer a question; 2,000 ms unless given. */
  readonly askTimeoutMs?: number
  /** Most tokens whose good signature is remembered, at about 2 KiB each; 10,000 unless given. */
  readonly verifiedTokensLimit?: number
  /** For tests: other clocks, timers and connections than those of the process. */
  readonly environment?: Partial<Environment>
}

/** {@link VerifierOptions} as they were read: checked, and nothing left open. */
export interface Settings {
  /** Without a slash at its end. */
  readonly url: string
  readonly token: TokenSource
  readonly mode: 'attached' | 'online'
  readonly onLapse: 'ask' | 'reject'
  readonly issuer: string | undefined
  readonly startTimeoutMs: number
  readonly askTimeoutMs: number
  readonly verifiedTokensLimit: number
  readonly environment: Environment
}

/** Timers take no more. */
const LONGEST_MS = 2 ** 31 - 1

/** @throws TypeError that says which option is wrong */
export function readOptions(options: VerifierOptions): Settings {
  checkNames(options)
  const { token, issuer, environment } = options
  const mode = oneOf(options.mode ?? 'attached', ['attached', 'online'], 'mode')
  const onLapse = oneOf(options.onLapse ?? 'ask', ['ask', 'reject'], 'onLapse')
  if (mode === 'online' && onLapse === 'reject')
    fail('onLapse', 'cannot be "reject" with mode "online", which only asks')
  if (typeof token === 'string' && !isHeaderValue(token)) fail('token', 'must be visible characters without spaces')
  if (typeof token !== 'string' && typeof token !== 'function')
    fail('token', 'must be a string, or a function that gives one')
  if (issuer !== undefined && typeof issuer !== 'string') fail('issuer', 'must be a string')
  return {
    url: readUrl(options.url),
    token,
    mode,
    onLapse,
    issuer,
    startTimeoutMs: integer(options.startTimeoutMs ?? 10_000, 'startTimeoutMs', 1, LONGEST_MS),
    askTimeoutMs: integer(options.askTimeoutMs ?? 2_000, 'askTimeoutMs', 1, LONGEST_MS),
    verifiedTokensLimit: integer(
      options.verifiedTokensLimit ?? 10_000,
      'verifiedTokensLimit',
      0,
      Number.MAX_SAFE_INTEGER,
    ),
    environment: { ...THIS_PROCESS, ...environment },
  }
}

const NAMES: readonly string[] = [
  'url',
  'token',
  'mode',
  'onLapse',
  'issuer',
  'startTimeoutMs',
  'askTimeoutMs',
  'verifiedTokensLimit',
  'environment',
] satisfies (keyof VerifierOptions)[]

/** Misspelt, an option would be as if it had not been given. */
function checkNames(options: unknown): void {
  if (typeof options !== 'object' || options === null) throw new TypeError('Options must be an object')
  for (const name in options) if (!NAMES.includes(name)) fail(name, `does not exist, only ${NAMES.join(', ')}`)
}

function readUrl(value: unknown): string {
  const url = URL.canParse(String(value)) ? new URL(String(value)) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') return fail('url', 'must be an http: or https: URL')
  if (url.username !== '' || url.password !== '')
    return fail('url', 'must not hold a credential; that is what token is for')
  if (url.search !== '' || url.hash !== '') fail('url', 'must end with its path')
  return url.origin + url.pathname.replace(/\/+$/, '')
}

function oneOf<T extends string>(value: T, allowed: readonly T[], name: string): T {
  return allowed.includes(value) ? value : fail(name, `must be one of ${allowed.map((each) => `"${each}"`).join(', ')}`)
}

function integer(value: number, name: string, least: number, most: number): number {
  const isAllowed = Number.isSafeInteger(value) && value >= least && value <= most
  return isAllowed ? value : fail(name, `must be a whole number from ${least} to ${most}`)
}

function fail(name: string, what: string): never {
  throw new TypeError(`Option ${name} ${what}`)
}
