import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import { text } from 'node:stream/consumers'
import { after, before, beforeEach, test } from 'node:test'
import { ERRORS } from '@rescind/protocol'
import type { Command } from 'commander'
import type { Context } from '../../cli/context.ts'
import { EXIT_CODES } from '../../cli/exit-codes.ts'
import { createProgram, main } from '../../cli/main.ts'

const BUSINESS = randomUUID()
const TOKEN_ID = randomUUID()
const USER_ID = randomUUID()
const KID = randomBytes(32).toString('base64url')
const CALLER = newToken()
const OTHER = newToken()

interface Answer {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

interface Received {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

let peer: Server
let url: string
let answer: Answer
let received: Received[]

before(async () => {
  peer = createServer(async (request, response) => {
    const { method, url, headers } = request
    received.push({ method, url, headers, body: await text(request) })
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
    response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body))
  })
  peer.listen(0, '127.0.0.1')
  await once(peer, 'listening')
  const address = peer.address()
  assert.ok(address !== null && typeof address === 'object')
  url = `http://127.0.0.1:${address.port}`
})

after(() => peer.close())

beforeEach(() => {
  received = []
  answer = success({ id: TOKEN_ID })
})

test('each command sends the request that the contract names', async () => {
  const cases: readonly (readonly [command: string, request: string, body?: object])[] = [
    ['token create --name ci', 'POST /api/v1/tokens', { name: 'ci' }],
    [
      'token create --name ci --description text --expires-in-days 30 --scope a:b --scope c',
      'POST /api/v1/tokens',
      { name: 'ci', description: 'text', expires_in_days: 30, scopes: ['a:b', 'c'] },
    ],
    ['token list', 'GET /api/v1/tokens'],
    [
      'token list --all --include-revoked --sort-by name --ascending --limit 5 --cursor x= --direction prev --total',
      'GET /api/v1/tokens?all=true&include_revoked=true&sort_by=name&descending=false&limit=5&cursor=x%3D&direction=prev&include_total_count=true',
    ],
    ['token list --user-email a+b@example.com', 'GET /api/v1/tokens?user_email=a%2Bb%40example.com'],
    [`token show ${TOKEN_ID}`, `GET /api/v1/tokens/${TOKEN_ID}`],
    [`token revoke ${TOKEN_ID}`, `POST /api/v1/tokens/${TOKEN_ID}/revoke`, {}],
    [`token revoke ${TOKEN_ID} --reason leaked`, `POST /api/v1/tokens/${TOKEN_ID}/revoke`, { reason: 'leaked' }],
    [
      `token verify --for-business ${BUSINESS} --for-scope a:b`,
      'POST /api/v1/tokens/verify',
      { token: OTHER, business_id: BUSINESS, scopes: ['a:b'] },
    ],
    [`business create ${BUSINESS} --name Acme`, `PUT /api/v1/businesses/${BUSINESS}`, { name: 'Acme' }],
    [`business show ${BUSINESS}`, `GET /api/v1/businesses/${BUSINESS}`],
    [
      `business revoke-tokens ${BUSINESS} --reason over`,
      `POST /api/v1/businesses/${BUSINESS}/revoke-tokens`,
      { reason: 'over' },
    ],
    [
      `member add ${USER_ID} --email ada@example.com --role admin`,
      `PUT /api/v1/businesses/${BUSINESS}/members/${USER_ID}`,
      { email: 'ada@example.com', role: 'admin' },
    ],
    [`member show ${USER_ID}`, `GET /api/v1/businesses/${BUSINESS}/members/${USER_ID}`],
    [`member remove ${USER_ID}`, `DELETE /api/v1/businesses/${BUSINESS}/members/${USER_ID}`],
    [`member revoke-tokens ${USER_ID}`, `POST /api/v1/businesses/${BUSINESS}/members/${USER_ID}/revoke-tokens`, {}],
    ['keys list', 'GET /api/v1/keys'],
    ['keys rotate', 'POST /api/v1/keys/rotate'],
    ['keys rotate --alg ES256', 'POST /api/v1/keys/rotate', { alg: 'ES256' }],
    [`keys retire ${KID}`, `POST /api/v1/keys/${KID}/retire`],
  ]
  for (const [command, request, body] of cases) {
    received = []
    answer = success({ status: 'valid' })
    const { exitCode, stderr } = await rescind(command)
    assert.equal(exitCode, 0, `${command}: ${stderr}`)
    const [sent, ...more] = received
    assert.ok(sent !== undefined && more.length === 0, command)
    assert.equal(`${sent.method} ${sent.url}`, request)
    assert.deepEqual(sent.body === '' ? undefined : JSON.parse(sent.body), body, command)
    assert.equal(sent.headers.authorization, `Bearer ${CALLER}`)
    assert.equal(sent.headers['x-business-id'], command.startsWith('keys') ? undefined : BUSINESS, command)
  }
})

test('new businesses and members get a UUID v4 of their own', async () => {
  const v4 = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'
  await rescind('business create --name Acme')
  await rescind('member add --email ada@example.com --role viewer')
  assert.match(received[0]?.url ?? '', new RegExp(`^/api/v1/businesses/${v4}$`))
  assert.equal(received[0]?.headers['x-business-id'], received[0]?.url?.split('/').at(-1))
  assert.match(received[1]?.url ?? '', new RegExp(`^/api/v1/businesses/${BUSINESS}/members/${v4}$`))
})

test('options win over the environment', async () => {
  const other = randomUUID()
  await rescind(`token list --business ${other} --as bob@example.com --token-file caller`, {
    env: { RESCIND_USER_EMAIL: 'ada@example.com' },
    files: { caller: `${OTHER}\n` },
  })
  assert.equal(received[0]?.headers['x-business-id'], other)
  assert.equal(received[0]?.headers['x-user-email'], 'bob@example.com')
  assert.equal(received[0]?.headers.authorization, `Bearer ${OTHER}`)
})

test('an answer of the service becomes its documented exit code', async () => {
  const codes = {
    400: 6,
    401: 3,
    403: 4,
    404: 5,
    405: 1,
    409: 7,
    413: 6,
    422: 6,
    429: 8,
    500: 1,
    502: 8,
    503: 8,
  }
  for (const [status, expected] of Object.entries(codes)) {
    answer = { status: Number(status), body: { detail: 'No' } }
    const { exitCode, stdout, stderr } = await rescind('token list')
    assert.equal(exitCode, expected, status)
    assert.equal(stdout, '')
    assert.match(stderr, /^error: No\n/)
  }
})

test('errors say what to do next', async () => {
  answer = { status: 401, body: { detail: ERRORS.not_authenticated.detail } }
  assert.match((await rescind('token list')).stderr, /RESCIND_TOKEN/)
  answer = { status: 400, body: { detail: ERRORS.business_header_missing.detail } }
  assert.match((await rescind('token list')).stderr, /--business/)
  answer = { status: 503, body: { detail: 'Draining' }, headers: { 'retry-after': '7' } }
  assert.match((await rescind('token list')).stderr, /again in 7 s/)
  answer = { status: 422, body: { detail: [{ type: 't', loc: ['body', 'name'], msg: 'Too short', input: '' }] } }
  assert.match((await rescind('token list')).stderr, /^error: body\.name: Too short\n/)
})

test('without a service there the exit code says so, and the message how to start one', async () => {
  const { exitCode, stderr } = await rescind('token list', { env: { RESCIND_URL: 'http://127.0.0.1:1' } })
  assert.equal(exitCode, EXIT_CODES.unavailable.code)
  assert.match(stderr, /rescind serve/)
})

test('a token is sent to no other address than the one given', async () => {
  answer = { status: 307, body: '', headers: { location: `${url}/elsewhere` } }
  assert.equal((await rescind('token list')).exitCode, EXIT_CODES.fault.code)
  assert.equal(received.length, 1)
})

test('a success that is no envelope is a fault', async () => {
  for (const body of ['<html>', '', 'null', '{}', '{"success":true}']) {
    answer = { status: 200, body }
    const { exitCode, stderr } = await rescind('token list')
    assert.equal(exitCode, EXIT_CODES.fault.code)
    assert.match(stderr, /does not send/)
  }
})

test('a rejected token has an exit code of its own', async () => {
  answer = success({ status: 'rejected', reason: 'revoked' })
  const { exitCode, stdout } = await rescind('token verify')
  assert.equal(exitCode, EXIT_CODES.tokenRejected.code)
  assert.match(stdout, /^status +rejected\nreason +revoked$/m)
})

test('with --json, answers and errors of every kind are one line of JSON on stdout and nothing else', async () => {
  const listed = success({ items: [], total: null })
  answer = listed
  assert.deepEqual(await rescind('token list --json'), {
    exitCode: 0,
    stdout: `${JSON.stringify(listed.body)}\n`,
    stderr: '',
  })
  answer = { status: 404, body: { detail: 'Token not found' } }
  assert.deepEqual(await rescind(`token show ${TOKEN_ID} --json`), {
    exitCode: 5,
    stdout: '{"detail":"Token not found"}\n',
    stderr: '',
  })
  for (const command of [
    'token create --json',
    'token show --json x',
    'keys list --json --url nowhere',
    'nothing --json',
  ]) {
    const { exitCode, stdout, stderr } = await rescind(command)
    assert.equal(exitCode, EXIT_CODES.usage.code, command)
    assert.match(stdout, /^\{"detail":"[^\n]+"\}\n$/, command)
    assert.equal(stderr, '', command)
  }
})

test('wrong arguments end with the usage code before anything is sent', async () => {
  const wrong = [
    '',
    'token',
    'token create',
    'token list --limit many',
    'token list --sort-by colour',
    'token show',
    'token show ..',
    `token show ${TOKEN_ID.toUpperCase()}x`,
    `token show ${TOKEN_ID} ${TOKEN_ID}`,
    'token list --unknown',
    'token list --business acme',
    'token list --url ftp://localhost',
    'token list --url http://user:word@localhost',
    'token list --as näme@example.com',
    'token list --token-file missing',
    'member add --email ada@example.com --role king',
    'keys retire ../x',
    'keys rotate --alg RS256',
    'serve --port many',
    'init --signing-alg none',
  ]
  for (const command of wrong) assert.equal((await rescind(command)).exitCode, EXIT_CODES.usage.code, command)
  assert.equal((await rescind('member show', { env: { RESCIND_BUSINESS_ID: '' } })).exitCode, EXIT_CODES.usage.code)
  assert.equal((await rescind('token list', { env: { RESCIND_TOKEN: '' } })).exitCode, EXIT_CODES.usage.code)
  assert.equal(
    (await rescind('token list', { env: { RESCIND_TOKEN: `${CALLER}\n${OTHER}` } })).exitCode,
    EXIT_CODES.usage.code,
  )
  assert.equal((await rescind('token verify', { stdin: '\n' })).exitCode, EXIT_CODES.usage.code)
  assert.deepEqual(received, [])
})

test('no command prints a token but the one that issues it, wherever a token was put or comes from', async () => {
  const issued = newToken()
  answer = success({ token: issued, token_info: { id: TOKEN_ID } })
  const shown = await rescind('token create --name ci')
  assert.ok(shown.stdout.includes(issued))
  assert.ok(!`${shown.stdout}${shown.stderr}`.includes(CALLER))

  const echoes = success({ items: [{ id: TOKEN_ID, name: OTHER }], reason: OTHER, token: CALLER })
  const refused = { status: 422, body: { detail: [{ type: 't', loc: ['body'], msg: OTHER, input: CALLER }] } }
  const cases: readonly (readonly [command: string, env?: Record<string, string>])[] = [
    ['token list'],
    [`token revoke ${TOKEN_ID} --reason ${OTHER}`],
    ['token verify'],
    ['keys list'],
    [`token verify ${OTHER}`],
    [`token show ${OTHER}`],
    [`token list ${OTHER}`],
    [`token list --token ${OTHER}`],
    [`--${OTHER}`],
    [`token list --url ${OTHER}`],
    ['token list', { RESCIND_TOKEN: `${CALLER}\n${OTHER}` }],
    ['token list', { RESCIND_TOKEN: `${CALLER}\u2028` }],
    ['token list', { RESCIND_URL: 'http://127.0.0.1:1' }],
  ]
  for (const given of [echoes, refused]) {
    for (const [command, env = {}] of cases) {
      for (const format of ['', ' --json']) {
        answer = given
        const { stdout, stderr } = await rescind(command + format, { env })
        for (const token of [CALLER, OTHER]) {
          assert.ok(!`${stdout}${stderr}`.includes(token.split('.')[2] ?? token), command)
        }
      }
    }
  }
})

test('a name cannot move the cursor of the terminal it is shown on', async () => {
  answer = success({ items: [{ id: TOKEN_ID, name: '\u001b[2J\u202eevil\n' }], next_cursor: 'abc' })
  const { stdout } = await rescind('token list')
  assert.match(stdout, /\\u\{1b\}\[2J\\u\{202e\}evil\\u\{a\}/)
  assert.match(stdout, /^next_cursor {2}abc$/m)
})

test('the help of every command shows an example, that of the program the exit codes', async () => {
  const leaves = leafCommands(createProgram(context().context))
  assert.ok(leaves.length > 15)
  for (const path of leaves) {
    const { exitCode, stdout } = await rescind(`${path} --help`)
    assert.equal(exitCode, 0, path)
    assert.match(stdout, new RegExp(`Example:\n {2}\\$ .*rescind ${path}`), path)
  }
  const { stdout } = await rescind('--help')
  for (const { code, about } of Object.values(EXIT_CODES)) assert.ok(stdout.includes(`${code}  ${about}`))
})

function leafCommands(command: Command, path: readonly string[] = []): string[] {
  if (command.commands.length === 0) return [path.join(' ')]
  return command.commands.flatMap((child) => leafCommands(child, [...path, child.name()]))
}

interface Surroundings {
  readonly env?: Readonly<Record<string, string>>
  readonly files?: Readonly<Record<string, string>>
  readonly stdin?: string
}

async function rescind(command: string, surroundings?: Surroundings) {
  const { context: outside, result } = context(surroundings)
  await main(command === '' ? [] : command.split(' '), outside)
  return result
}

function context({ env = {}, files = {}, stdin = `${OTHER}\n` }: Surroundings = {}) {
  const result = { exitCode: 0, stdout: '', stderr: '' }
  const outside: Context = {
    env: { RESCIND_URL: url, RESCIND_TOKEN: CALLER, RESCIND_BUSINESS_ID: BUSINESS, ...env },
    fetch: globalThis.fetch,
    stdout: (output) => {
      result.stdout += output
    },
    stderr: (output) => {
      result.stderr += output
    },
    readStdin: async () => stdin,
    readFile: async (path) => files[path] ?? Promise.reject(new Error('no such file')),
    randomUuid: randomUUID,
    exit: (code) => {
      result.exitCode = code
    },
  }
  return { context: outside, result }
}

function success(data: object): Answer {
  return { status: 200, body: { success: true, message: 'Done.', code: 'DONE', data } }
}

/** A string of the shape of a token; nobody's. */
function newToken(): string {
  const part = (bytes: Buffer | string) => Buffer.from(bytes).toString('base64url')
  return `dz_${part('{"alg":"EdDSA"}')}.${part(randomBytes(24))}.${part(randomBytes(48))}`
}
