import { DEFAULT_TOKEN_PREFIX, LEASE_SECONDS, type SigningAlgorithm } from '@rescind/protocol'
import { StartRefused } from './start-refused.ts'

/** Everything the service lets its operator choose, parsed and checked once. */
export interface Config {
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  /** As given: relative to the working directory. */
  readonly dataDir: string
  /** `postgres://…`; `undefined` when the embedded database serves. */
  readonly databaseUrl: string | undefined
  /** Where the tables are in that database. */
  readonly databaseSchema: string
  /** Connections of this process to it, at most, but for a few that must not wait. */
  readonly databasePoolSize: number
  /** Whether nodes tell each other of revocations by LISTEN and NOTIFY, besides polling. */
  readonly databaseListen: boolean
  /** Per user and business. */
  readonly maxActiveTokens: number
  /** 32 bytes that seal the signing keys at rest; `undefined` when a key file beside the data serves. */
  readonly masterKey: Uint8Array | undefined
  /** Read at the first start only: an `http` or `https` URL without a trailing slash; `undefined` leaves it to the service. */
  readonly issuer: string | undefined
  /** Read at the first start only. */
  readonly tokenPrefix: string
  /** Of keys made from now on. */
  readonly signingAlg: SigningAlgorithm
  readonly logLevel: LogLevel
  /** How long requests in flight and leases that were granted may take to end once the service was asked to stop. */
  readonly shutdownSeconds: number
  /** How long a verifier may decide without hearing from the service. */
  readonly leaseSeconds: number
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

export type LogLevel = (typeof LOG_LEVELS)[number]

/** One setting: where it is read from, what it means, and what it may be. */
interface Setting<Value> {
  readonly variable: string
  /** Absent for secrets: arguments show in the list of processes. */
  readonly flag?: string
  readonly about: string
  /** Completes "it must be …". */
  readonly allowed: string
  readonly fallback: Value
  /** The value that `text` means, `undefined` when it means none. */
  readonly parse: (text: string) => Value | undefined
}

export const SETTINGS: { readonly [Name in keyof Config]: Setting<Config[Name]> } = {
  host: {
    variable: 'RESCIND_HOST',
    flag: '--host <address>',
    about: 'Address to listen on',
    allowed: 'a host name or an IP address',
    fallback: '127.0.0.1',
    parse: (text) => (/^[A-Za-z0-9._:%-]+$/.test(text) ? text : undefined),
  },
  port: {
    variable: 'RESCIND_PORT',
    flag: '--port <port>',
    about: 'TCP port to listen on; 0 lets the system choose',
    allowed: 'a whole number from 0 to 65535',
    fallback: 8080,
    parse: wholeNumber(0, 65_535),
  },
  dataDir: {
    variable: 'RESCIND_DATA_DIR',
    flag: '--data-dir <folder>',
    about: 'Folder of the embedded database and of the key file',
    allowed: 'the path of a folder',
    fallback: './data',
    parse: (text) => (text === '' || text.includes('\0') ? undefined : text),
  },
  databaseUrl: {
    variable: 'DATABASE_URL',
    about: 'PostgreSQL database that any number of services share; without it, the embedded database serves',
    allowed: 'a URL like postgres://user:password@host:5432/database',
    fallback: undefined,
    parse: (text) => (/^postgres(?:ql)?:$/.test(URL.parse(text)?.protocol ?? '') ? text : undefined),
  },
  databaseSchema: {
    variable: 'RESCIND_DATABASE_SCHEMA',
    flag: '--database-schema <name>',
    about: 'Schema of the tables in that database, made when it is missing',
    allowed: 'up to 63 lower-case letters, digits and underscores, not beginning with a digit or pg_',
    fallback: 'rescind',
    parse: (text) => (/^(?!pg_)[a-z_][a-z0-9_]{0,62}$/.test(text) ? text : undefined),
  },
  databasePoolSize: {
    variable: 'RESCIND_DATABASE_POOL_SIZE',
    flag: '--database-pool-size <count>',
    about: 'Connections to that database for reads; four more are kept',
    allowed: 'a whole number from 1 to 1000',
    fallback: 10,
    parse: wholeNumber(1, 1000),
  },
  databaseListen: {
    variable: 'RESCIND_DATABASE_LISTEN',
    flag: '--database-listen <on|off>',
    about: 'Whether services tell each other of revocations by LISTEN and NOTIFY; off for poolers, they then poll only',
    allowed: 'on or off',
    fallback: true,
    parse: (text) => (text === 'on' ? true : text === 'off' ? false : undefined),
  },
  maxActiveTokens: {
    variable: 'RESCIND_MAX_ACTIVE_TOKENS',
    flag: '--max-active-tokens <count>',
    about: 'Active tokens that one user may have in one business',
    allowed: 'a whole number from 1 to 1000000',
    fallback: 10,
    parse: wholeNumber(1, 1_000_000),
  },
  masterKey: {
    variable: 'RESCIND_MASTER_KEY',
    about: 'Key that seals the signing keys at rest; without it, a key file beside the data serves',
    allowed: '32 bytes as 64 hex digits or as base64, for example from `openssl rand -base64 32`',
    fallback: undefined,
    parse: parseKey,
  },
  issuer: {
    variable: 'RESCIND_ISSUER',
    flag: '--issuer <url>',
    about: 'Issuer named in every token, fixed at the first start',
    allowed: 'an http or https URL without credentials, query, fragment or trailing slash',
    fallback: undefined,
    parse: parseIssuer,
  },
  tokenPrefix: {
    variable: 'RESCIND_TOKEN_PREFIX',
    flag: '--token-prefix <prefix>',
    about: 'What every token starts with, fixed at the first start',
    allowed: '1 to 15 ASCII letters or digits and an underscore',
    fallback: DEFAULT_TOKEN_PREFIX,
    parse: (text) => (/^[A-Za-z0-9]{1,15}_$/.test(text) ? text : undefined),
  },
  signingAlg: {
    variable: 'RESCIND_SIGNING_ALG',
    flag: '--signing-alg <algorithm>',
    about: 'Algorithm of signing keys made from now on',
    allowed: 'EdDSA or ES256',
    fallback: 'EdDSA',
    parse: oneOf<SigningAlgorithm>(['EdDSA', 'ES256']),
  },
  logLevel: {
    variable: 'RESCIND_LOG_LEVEL',
    flag: '--log-level <level>',
    about: 'Least severe log lines to write',
    allowed: `one of ${LOG_LEVELS.join(', ')}`,
    fallback: 'info',
    parse: oneOf(LOG_LEVELS),
  },
  shutdownSeconds: {
    variable: 'RESCIND_SHUTDOWN_SECONDS',
    flag: '--shutdown-seconds <seconds>',
    about: 'Time that requests in flight, and leases of verifiers, get to end when the service stops',
    allowed: 'a whole number from 0 to 3600',
    fallback: 10,
    parse: wholeNumber(0, 3600),
  },
  leaseSeconds: {
    variable: 'RESCIND_LEASE_SECONDS',
    flag: '--lease-seconds <seconds>',
    about: 'Time that verifiers decide without the service; the longest that a revocation waits for one of them',
    allowed: `a whole number from ${LEASE_SECONDS.least} to ${LEASE_SECONDS.most}`,
    fallback: LEASE_SECONDS.usual,
    parse: wholeNumber(LEASE_SECONDS.least, LEASE_SECONDS.most),
  },
}

/** Texts by the name of the setting, as an argument parser delivers them. They win over the environment. */
export type ConfigFlags = { readonly [Name in keyof Config]?: string | undefined }

/**
 * @param env - environment variables; an empty one counts as absent, except the master key: going on without it would
 *   weaken what protects the signing keys.
 * @throws StartRefused naming the setting, what is wrong with it and what is allowed, never the value of a secret.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>, flags: ConfigFlags = {}): Config {
  const read = <Name extends keyof Config>(name: Name) => readSetting(SETTINGS[name], env, flags[name])
  return {
    host: read('host'),
    port: read('port'),
    dataDir: read('dataDir'),
    databaseUrl: read('databaseUrl'),
    databaseSchema: read('databaseSchema'),
    databasePoolSize: read('databasePoolSize'),
    databaseListen: read('databaseListen'),
    maxActiveTokens: read('maxActiveTokens'),
    masterKey: read('masterKey'),
    issuer: read('issuer'),
    tokenPrefix: read('tokenPrefix'),
    signingAlg: read('signingAlg'),
    logLevel: read('logLevel'),
    shutdownSeconds: read('shutdownSeconds'),
    leaseSeconds: read('leaseSeconds'),
  }
}

function readSetting<Value>(
  setting: Setting<Value>,
  env: Readonly<Record<string, string | undefined>>,
  flag: string | undefined,
): Value {
  const { variable, allowed, fallback, parse } = setting
  const secret = setting.flag === undefined
  const text = flag ?? env[variable]
  if (text === undefined || (text === '' && flag === undefined && !secret)) return fallback
  const value = parse(text)
  if (value !== undefined) return value
  const source = flag === undefined ? variable : setting.flag?.split(' ')[0]
  const problem = text === '' ? 'is empty' : secret ? 'cannot be read' : `is ${JSON.stringify(text)}`
  throw new StartRefused(`${source} ${problem}; it must be ${allowed}.`)
}

function wholeNumber(least: number, most: number): (text: string) => number | undefined {
  return (text) => {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
    return value >= least && value <= most ? value : undefined
  }
}

function oneOf<Choice extends string>(choices: readonly Choice[]): (text: string) => Choice | undefined {
  return (text) => choices.find((choice) => choice === text)
}

function parseIssuer(text: string): string | undefined {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol) || /[?#@]|\/$/.test(text)) return undefined
  // What normalises to something else would not be equal, byte for byte, to what clients configure.
  return url.href === text || url.href === `${text}/` ? text : undefined
}

function parseKey(text: string): Uint8Array | undefined {
  if (/^[0-9A-Fa-f]{64}$/.test(text)) return Buffer.from(text, 'hex')
  if (!/^(?:[A-Za-z0-9+/]{43}|[A-Za-z0-9_-]{43})=?$/.test(text)) return undefined
  const key = Buffer.from(text, 'base64')
  // A last character with bits beyond the 32nd byte was not written by an encoder: the key has been mistyped.
  return key.toString('base64url').slice(-1) === text.replace('=', '').slice(-1).replace('+', '-').replace('/', '_')
    ? key
    : undefined
}
