import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readConfig, SETTINGS } from '../config.ts'
import { StartRefused } from '../start-refused.ts'

test('without any setting the service listens on this machine only and keeps its data in ./data', () => {
  assert.deepEqual(readConfig({}), {
    host: '127.0.0.1',
    port: 8080,
    dataDir: './data',
    databaseUrl: undefined,
    databaseSchema: 'rescind',
    databasePoolSize: 10,
    databaseListen: true,
    maxActiveTokens: 10,
    masterKey: undefined,
    issuer: undefined,
    tokenPrefix: 'dz_',
    signingAlg: 'EdDSA',
    logLevel: 'info',
    shutdownSeconds: 10,
    leaseSeconds: 30,
  })
})

test('every setting is read from its variable', () => {
  const config = readConfig({
    RESCIND_HOST: '::1',
    RESCIND_PORT: '0',
    RESCIND_DATA_DIR: '/var/lib/rescind',
    DATABASE_URL: 'postgresql://rescind@db.example/tokens?sslmode=verify-full',
    RESCIND_DATABASE_SCHEMA: 'tokens_2',
    RESCIND_DATABASE_POOL_SIZE: '40',
    RESCIND_DATABASE_LISTEN: 'off',
    RESCIND_MAX_ACTIVE_TOKENS: '50',
    RESCIND_ISSUER: 'https://tokens.example.com/eu',
    RESCIND_TOKEN_PREFIX: 'acme_',
    RESCIND_SIGNING_ALG: 'ES256',
    RESCIND_LOG_LEVEL: 'debug',
    RESCIND_SHUTDOWN_SECONDS: '0',
    RESCIND_LEASE_SECONDS: '300',
  })
  assert.deepEqual(config, {
    host: '::1',
    port: 0,
    dataDir: '/var/lib/rescind',
    databaseUrl: 'postgresql://rescind@db.example/tokens?sslmode=verify-full',
    databaseSchema: 'tokens_2',
    databasePoolSize: 40,
    databaseListen: false,
    maxActiveTokens: 50,
    masterKey: undefined,
    issuer: 'https://tokens.example.com/eu',
    tokenPrefix: 'acme_',
    signingAlg: 'ES256',
    logLevel: 'debug',
    shutdownSeconds: 0,
    leaseSeconds: 300,
  })
})

test('a flag wins over the environment, and an empty variable counts as absent', () => {
  assert.equal(readConfig({ RESCIND_PORT: '9000' }, { port: '9001' }).port, 9001)
  assert.equal(readConfig({ RESCIND_PORT: '' }).port, 8080)
})

test('a master key is the same 32 bytes in each spelling', () => {
  const key = randomBytes(32)
  const spellings = [key.toString('hex'), key.toString('hex').toUpperCase(), key.toString('base64')]
  spellings.push(key.toString('base64url'), key.toString('base64').replace('=', ''))
  for (const RESCIND_MASTER_KEY of spellings) {
    assert.deepEqual(readConfig({ RESCIND_MASTER_KEY }).masterKey, key)
  }
})

test('a master key that is not 32 bytes stops the start, even an empty one, and is not repeated', () => {
  const key = randomBytes(32).fill(0xff, 31)
  const mistyped = `${key.toString('base64url').slice(0, -1)}9`
  const wrong = ['', ' ', 'secret', randomBytes(31).toString('hex'), randomBytes(33).toString('base64'), mistyped]
  for (const RESCIND_MASTER_KEY of wrong) {
    const message = refusal({ RESCIND_MASTER_KEY })
    assert.match(message, /^RESCIND_MASTER_KEY (is empty|cannot be read); it must be 32 bytes as /)
    assert.ok(RESCIND_MASTER_KEY.length < 2 || !message.includes(RESCIND_MASTER_KEY))
  }
})

test('a wrong value stops the start with one sentence that names the setting, the value and what is allowed', () => {
  assert.equal(refusal({ RESCIND_PORT: 'http' }), 'RESCIND_PORT is "http"; it must be a whole number from 0 to 65535.')
  assert.equal(refusal({}, { port: '65536' }), '--port is "65536"; it must be a whole number from 0 to 65535.')
  assert.equal(refusal({}, { dataDir: '' }), '--data-dir is empty; it must be the path of a folder.')
})

test('a database URL that cannot be read is not repeated: it holds a password', () => {
  const password = randomBytes(16).toString('hex')
  const message = refusal({ DATABASE_URL: `mysql://rescind:${password}@localhost/db` })
  assert.match(message, /^DATABASE_URL cannot be read; it must be a URL like postgres:/)
  assert.ok(!message.includes(password))
})

test('wrong values of every setting are refused', () => {
  const wrong = {
    RESCIND_HOST: ['http://localhost', 'a b', 'a/b'],
    RESCIND_PORT: ['-1', '1.5', '1e3', '0x10', ' 80', '65536', '99999999999'],
    RESCIND_DATA_DIR: ['a\0b'],
    DATABASE_URL: ['', 'localhost', 'mysql://localhost/db', 'http://localhost', 'postgres://[/db'],
    RESCIND_DATABASE_SCHEMA: ['Rescind', '1st', 'pg_rescind', 'a-b', 'a"b', 'a.b', 'a'.repeat(64)],
    RESCIND_DATABASE_POOL_SIZE: ['0', '1001', '-1', 'many'],
    RESCIND_DATABASE_LISTEN: ['true', 'ON', '1', 'no'],
    RESCIND_MAX_ACTIVE_TOKENS: ['0', '1000001', 'ten'],
    RESCIND_ISSUER: [
      'tokens.example.com',
      'ftp://example.com',
      'https://example.com/',
      'https://example.com?x=1',
      'https://example.com#x',
      'https://user@example.com',
      'https://EXAMPLE.com',
      'https://example.com:443',
    ],
    RESCIND_TOKEN_PREFIX: ['dz', '_', 'd-z_', 'abcdefghijklmnop_', 'dz__'],
    RESCIND_SIGNING_ALG: ['RS256', 'none', 'eddsa'],
    RESCIND_LOG_LEVEL: ['verbose', 'INFO', 'toString'],
    RESCIND_SHUTDOWN_SECONDS: ['-1', '3601', 'soon'],
    RESCIND_LEASE_SECONDS: ['1', '301', '2.5', '30s'],
  }
  const named = new Set([...Object.keys(wrong), 'RESCIND_MASTER_KEY'])
  assert.deepEqual(named, new Set(Object.values(SETTINGS).map(({ variable }) => variable)))
  for (const [variable, values] of Object.entries(wrong)) {
    for (const value of values)
      assert.match(refusal({ [variable]: value }), new RegExp(`^${variable} (?:is|cannot) .*; it must be `))
  }
})

test('the tables of settings in README.md and docs/operations.md name every setting with its default, and no other', () => {
  const described = new Map<string, string>()
  for (const file of ['README.md', 'docs/operations.md']) {
    const text = readFileSync(join(import.meta.dirname, '../../..', file), 'utf8')
    for (const [, variables = '', fallbacks = ''] of text.matchAll(/^\| (`[A-Z_`, ]+`) \| ([^|]+) \|/gm)) {
      for (const [at, name] of variables.split(', ').entries())
        described.set(name.replaceAll('`', ''), fallbacks.split(', ').at(at) ?? '')
    }
  }
  const settings = Object.values(SETTINGS)
  assert.deepEqual([...described.keys()].toSorted(), settings.map(({ variable }) => variable).toSorted())
  for (const { variable, fallback } of settings) {
    const shown = fallback === true ? 'on' : fallback
    if (shown !== undefined) assert.equal(described.get(variable), `\`${shown}\``, variable)
  }
})

function refusal(env: Record<string, string>, flags = {}): string {
  try {
    readConfig(env, flags)
  } catch (error) {
    assert.ok(error instanceof StartRefused)
    return error.message
  }
  return assert.fail(`accepted ${JSON.stringify({ ...env, ...flags })}`)
}
