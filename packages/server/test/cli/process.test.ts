import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { buffer } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { createHttpClient } from '../service/http-client.ts'
import { use } from '../service/installation-client.ts'
import { encodeRequest, openSocket } from '../service/raw-http.ts'
import { temporaryFolder } from '../service/running-service.ts'
import { cleanEnv, printedTokens, runProgram, serve } from '../service/service-process.ts'

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
const TOKEN = 'dz_[\\w-]+\\.[\\w-]+\\.[\\w-]+'
const ROOT = join(import.meta.dirname, '../../../..')

test('the first start prints its tokens once, with commands that work when pasted; a later one prints no secret', async (t) => {
  const dataDir = join(await temporaryFolder(t), 'data')
  const first = await serve(t, { dataDir })
  await printedTokens(first)
  const [address, business, owner, operator, empty, ...rest] = first.stdout().split('\n')
  assert.match(address ?? '', /^Listening {2}http:\/\/127\.0\.0\.1:\d+$/)
  assert.match(business ?? '', new RegExp(`^Business {2}${UUID}$`))
  assert.match(owner ?? '', new RegExp(`^Owner token {2}${TOKEN}$`))
  assert.match(operator ?? '', new RegExp(`^Operator token {2}${TOKEN}$`))
  assert.equal(empty, '')

  await t.test('in bash, in the order they are printed', { skip: missing('curl') ?? missing('bash') ?? false }, () => {
    const commands = rest.slice(rest.findIndex((line) => line.startsWith('#'))).join('\n')
    const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail'], { input: commands, encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    const answers = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.equal(answers.length, 4)
    const [issued, used, revoked, refused] = answers
    assert.equal(issued.code, 'TOKEN_CREATED')
    assert.equal(used.code, 'TOKENS_LISTED')
    assert.equal(revoked.code, 'TOKEN_REVOKED')
    assert.equal(revoked.data.id, issued.data.token_info.id)
    assert.deepEqual(refused, { detail: 'Not authenticated' })
  })

  assert.deepEqual(await first.stop(), { code: 0, signal: null })
  const second = await serve(t, { dataDir })
  assert.deepEqual(await second.stop(), { code: 0, signal: null })
  assert.match(second.stdout(), /^Listening {2}\S+\n$/)
})

test('init sets a folder up once and recovers it, without invalidating what was there', async (t) => {
  const dataDir = join(await temporaryFolder(t), 'data')
  const made = await runProgram(t, ['init', '--data-dir', dataDir])
  assert.equal(made.code, 0)
  assert.match(made.stdout, new RegExp(`^Business {2}${UUID}\nOwner token {2}${TOKEN}\nOperator token {2}${TOKEN}\n$`))
  assert.equal(made.stderr, '')
  await refusal(t, ['init', '--data-dir', dataDir], /is set up already; add --recover/)

  const recovered = await runProgram(t, ['init', '--recover', '--data-dir', dataDir])
  assert.equal(recovered.code, 0)
  assert.match(recovered.stdout, new RegExp(`^Operator token {2}${TOKEN}\n$`))
  const service = await serve(t, { dataDir })
  assert.equal(service.stdout(), `Listening  ${service.url}\n`)
  await refusal(t, ['init', '--recover', '--data-dir', dataDir], /in use by another process/)
  await refusal(t, ['serve', '--port', '0', '--data-dir', dataDir], /in use by another process/)

  const client = createHttpClient(service.url)
  t.after(() => client.close())
  const tokenOf = (text: string, label: string) => new RegExp(`^${label} {2}(\\S+)$`, 'm').exec(text)?.[1] ?? ''
  const business = tokenOf(made.stdout, 'Business')
  assert.equal(await use(client, tokenOf(made.stdout, 'Owner token'), business), 200)
  for (const { stdout } of [made, recovered]) {
    const token = tokenOf(stdout, 'Operator token')
    const answer = await client.send({ method: 'GET', path: '/api/v1/keys', token })
    assert.equal(answer.status, 200)
  }
})

test('what keeps the service from starting is told in one sentence', async (t) => {
  const parent = await temporaryFolder(t)
  const dataDir = join(parent, 'data')
  assert.equal((await runProgram(t, ['init', '--data-dir', dataDir])).code, 0)
  const serveArgs = ['serve', '--port', '0', '--data-dir', dataDir]

  await t.test('a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    const port = typeof address === 'object' ? address?.port : undefined
    await refusal(t, ['serve', '--data-dir', dataDir, '--port', String(port)], new RegExp(`Port ${port} .* is taken`))
    other.close()
  })

  await t.test('an address of another machine', () =>
    refusal(t, [...serveArgs, '--host', '192.0.2.1'], /192\.0\.2\.1 is not one of this machine/),
  )

  await t.test('a file in place of the folder', async () => {
    const file = join(parent, 'file')
    writeFileSync(file, '')
    for (const path of [file, join(file, 'below')]) {
      await refusal(t, ['serve', '--port', '0', '--data-dir', path], /is not a folder/)
    }
  })

  await t.test('a folder that cannot be written to', async () => {
    const readOnly = join(parent, 'read-only')
    mkdirSync(readOnly)
    const restore = makeReadOnly(readOnly)
    try {
      const args = ['serve', '--port', '0', '--data-dir']
      for (const path of [readOnly, join(readOnly, 'below')]) await refusal(t, [...args, path], /cannot be written to/)
    } finally {
      restore()
    }
  })

  await t.test('a key file that is missing, and another key', async () => {
    const another = { RESCIND_MASTER_KEY: randomBytes(32).toString('base64') }
    await refusal(t, serveArgs, /master key does not open/, another)
    await refusal(t, ['init', '--recover', '--data-dir', dataDir], /master key does not open/, another)
    await refusal(t, serveArgs, /RESCIND_MASTER_KEY .*must be 32 bytes/, { RESCIND_MASTER_KEY: 'too short' })
    const keyFile = join(dataDir, 'master.key')
    renameSync(keyFile, `${keyFile}.away`)
    await refusal(t, serveArgs, /key file .*master\.key is missing/)
    assert.ok(!existsSync(keyFile))
    writeFileSync(keyFile, 'short\n')
    await refusal(t, serveArgs, /key file .*master\.key is damaged/)
    renameSync(`${keyFile}.away`, keyFile)
  })

  await t.test('a database that is none, and one of a newer version', async () => {
    const path = join(dataDir, 'rescind.db')
    const other = join(parent, 'other')
    mkdirSync(other)
    writeFileSync(join(other, 'rescind.db'), randomBytes(8192))
    await refusal(t, ['serve', '--port', '0', '--data-dir', other], /damaged or is not a database/)
    const db = new DatabaseSync(path)
    db.exec("INSERT INTO schema_migrations (version, name, applied_at_ms) VALUES (9999, 'later', 0)")
    db.close()
    await refusal(t, serveArgs, /schema version 9999 .* start the newer program/)
    const again = new DatabaseSync(path)
    again.exec('DELETE FROM schema_migrations WHERE version = 9999')
    again.close()
  })

  const service = await serve(t, { dataDir })
  assert.deepEqual(await service.stop(), { code: 0, signal: null })
})

test('a first start that cannot listen makes nothing that only it could have shown', async (t) => {
  const dataDir = await temporaryFolder(t)
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const address = other.address()
  const port = typeof address === 'object' ? address?.port : undefined
  await refusal(t, ['serve', '--data-dir', dataDir, '--port', String(port)], /is taken/)
  other.close()
  const service = await serve(t, { dataDir })
  assert.match((await printedTokens(service)).ownerToken, /^dz_/)
  await service.stop()
})

test('asked to stop, the service finishes what is in progress, refuses what is new and ends with 0', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const dataDir = await temporaryFolder(t)
    const service = await serve(t, { dataDir })
    const { ownerToken, businessId } = await printedTokens(service)
    const headers = { 'x-business-id': businessId, 'content-type': 'application/json' }
    const authorization = [`Bearer ${ownerToken}`]
    const body = JSON.stringify({ name: 'uploaded slowly' })
    const upload = encodeRequest({ method: 'POST', path: '/api/v1/tokens', headers, authorization, body }, false)

    const slow = await openSocket(service.url)
    slow.write(upload.subarray(0, upload.length - 5))
    const idle = await openSocket(service.url)
    const late = await openSocket(service.url)
    // Answered on the second connection after the first one's bytes arrived: the upload is in progress.
    const probe = encodeRequest({ method: 'GET', path: '/health/ready' }, false)
    await until(async () => (await exchange(late, probe)).includes('"ready"'))
    service.child.kill(signal)
    let refused = ''
    // A terminal signals the whole group and npm passes its own on: the second one changes nothing.
    await until(async () => {
      service.child.kill(signal)
      refused = await exchange(
        late,
        encodeRequest({ method: 'GET', path: '/api/v1/tokens', headers, authorization }, false),
      )
      return refused.startsWith('HTTP/1.1 503 ')
    })
    assert.match(refused, /\r\nretry-after: \d+\r\n/i)
    assert.match(refused, /\{"detail":"[^"]+"\}$/)

    const received = buffer(slow)
    slow.write(upload.subarray(upload.length - 5))
    const answer = (await received).toString()
    assert.match(answer, /^HTTP\/1\.1 201 /)
    assert.deepEqual(await service.exited, { code: 0, signal: null })
    idle.destroy()
    late.destroy()

    const token = /"token":"([^"]+)"/.exec(answer)?.[1] ?? ''
    const again = await serve(t, { dataDir })
    const client = createHttpClient(again.url)
    assert.equal(await use(client, token, businessId), 200)
    client.close()
    await again.stop()
  }
})

test('a request that never ends holds the service up no longer than it was told', async (t) => {
  const dataDir = await temporaryFolder(t)
  const service = await serve(t, { dataDir, env: { RESCIND_SHUTDOWN_SECONDS: '1' } })
  const { ownerToken, businessId } = await printedTokens(service)
  const socket = await openSocket(service.url)
  const headers = { 'x-business-id': businessId, 'content-type': 'application/json' }
  const request = {
    method: 'POST',
    path: '/api/v1/tokens',
    headers,
    authorization: [`Bearer ${ownerToken}`],
    body: '{"name":"x"}',
  }
  socket.on('error', () => {})
  socket.write(encodeRequest(request, false).subarray(0, -3))
  const client = createHttpClient(service.url)
  t.after(() => client.close())
  assert.equal(await use(client, ownerToken, businessId), 200)
  assert.deepEqual(await service.stop(), { code: 0, signal: null })
  socket.destroy()
})

test('npm start hands its signals on to the service', { skip: missing('npm') ?? false }, async (t) => {
  const dataDir = await temporaryFolder(t)
  const env = cleanEnv({ RESCIND_DATA_DIR: dataDir, RESCIND_PORT: '0', RESCIND_LOG_LEVEL: 'warn' })
  const npm = spawn('npm', ['start', '--silent'], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  })
  const ended = once(npm, 'exit')
  t.after(() => killGroup(npm.pid))
  let stdout = ''
  npm.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  await until(async () => stdout.includes('Operator token'))
  const url = /^Listening {2}(\S+)$/m.exec(stdout)?.[1] ?? ''
  npm.kill('SIGTERM')
  await ended
  // With the service still there, somebody would answer here and the folder would be in use below.
  await assert.rejects(fetch(`${url}/health/live`))
  const next = await serve(t, { dataDir })
  await next.stop()
})

/** Ends whatever a test that failed left behind. */
function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // Nothing is left.
  }
}

async function refusal(
  t: TestContext,
  args: readonly string[],
  sentence: RegExp,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { code, stdout, stderr } = await runProgram(t, args, env)
  assert.match(stderr, sentence)
  assert.match(stderr, /^error: [^\n]+[.]\n$/)
  assert.doesNotMatch(stderr, /\n {4}at |node:/)
  assert.equal(stdout, '')
  assert.equal(code, 2)
}

/** Root may write whatever the permission bits say, so for root the folder becomes a read-only mount. */
function makeReadOnly(folder: string): () => void {
  if (process.getuid?.() !== 0) {
    chmodSync(folder, 0o500)
    return () => chmodSync(folder, 0o700)
  }
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=1m', 'tmpfs', folder], { stdio: 'pipe' })
  return () => execFileSync('umount', ['--lazy', folder], { stdio: 'pipe' })
}

function missing(program: string): string | undefined {
  const { error } = spawnSync(program, ['--version'], { stdio: 'ignore' })
  return error ? `${program} is not there` : undefined
}

/** Sends a request on a kept connection and reads what comes back at once. */
async function exchange(socket: Awaited<ReturnType<typeof openSocket>>, bytes: Uint8Array): Promise<string> {
  socket.write(bytes)
  const [chunk] = await once(socket, 'data')
  return String(chunk)
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000
  while (!(await condition())) {
    assert.ok(performance.now() < deadline, 'it did not happen')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
