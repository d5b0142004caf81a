import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { type ClientAnswer, createHttpClient } from '../service/http-client.ts'
import type { RawAnswer } from '../service/raw-http.ts'
import { temporaryFolder } from '../service/running-service.ts'
import { printedTokens, serve } from '../service/service-process.ts'
import { CanarySpread } from './canary-spread.ts'
import { openStoredSigningKeys } from './stored-signing-keys.ts'

test('no token is found in any log line, answer or stored byte, wherever clients put it', async (t) => {
  const dataDir = join(await temporaryFolder(t), 'data')
  const logFile = join(await temporaryFolder(t), 'log')
  const env = { RESCIND_LOG_LEVEL: 'trace' }
  const first = await serve(t, { dataDir, env })
  const printed = await printedTokens(first)
  await first.stop()
  writeFileSync(logFile, first.stderr())

  const service = await serve(t, { dataDir, env })
  const client = createHttpClient(service.url)
  t.after(() => client.close())
  const { ownerToken, operatorToken, businessId } = printed
  const owner = { token: ownerToken, business: businessId }
  const issue = async (json: object) => {
    const answer = await client.send({ method: 'POST', path: '/api/v1/tokens', ...owner, json })
    assert.equal(answer.status, 201, answer.text)
    return { token: String(answer.json.data.token), id: String(answer.json.data.token_info.id) }
  }
  const alive = await issue({ name: 'alive' })
  const revoked = await issue({ name: 'revoked' })
  assert.equal(
    (await client.send({ method: 'POST', path: `/api/v1/tokens/${revoked.id}/revoke`, ...owner })).status,
    201,
  )

  const canaries = { owner: ownerToken, operator: operatorToken, alive: alive.token, revoked: revoked.token }
  const spread = new CanarySpread(service.url, client, printed)
  for (const canary of Object.values(canaries)) await spread.everywhere(canary, alive.id)
  assert.ok(spread.answers.length > 400)
  const statuses = new Set(spread.answers.map(({ status }) => status))
  for (const status of [200, 201, 400, 401, 403, 404, 405, 409, 413, 422, 431])
    assert.ok(statuses.has(status), `no ${status}`)
  assert.deepEqual(
    [...statuses].filter((status) => status >= 500),
    [],
  )

  // The tokens that answers legitimately carried: those of the canaries' own issuing were not recorded here.
  const issuedMeanwhile = spread.issued
  const whileRunning = storedBytes(dataDir)
  assert.ok(whileRunning.some(([name, bytes]) => name.endsWith('rescind.db-wal') && bytes.length > 0))
  assert.deepEqual(await service.stop(), { code: 0, signal: null })
  writeFileSync(logFile, service.stderr(), { flag: 'a' })

  const log = readFileSync(logFile)
  assert.ok(log.length > 10_000, 'the log was not written')
  const haystacks = new Map<string, Buffer>([
    ['the log', log],
    ['stdout of a later start', Buffer.from(service.stdout())],
    ['the answers', Buffer.from(spread.answers.map(serialised).join('\n'))],
    ...whileRunning.map(([name, bytes]) => [`while running, ${name}`, bytes] as const),
    ...storedBytes(dataDir),
  ])
  for (const token of [...Object.values(canaries), ...issuedMeanwhile]) {
    for (const [place, bytes] of haystacks) {
      for (const needle of needles(token)) assert.equal(bytes.includes(needle), false, `part of a token is in ${place}`)
    }
  }
  assert.ok(issuedMeanwhile.length > 0)

  const masterKey = readFileSync(join(dataDir, 'master.key'), 'utf8').trim()
  const secrets = [...spellings(Buffer.from(masterKey, 'base64url')), masterKey]
  for (const { privateKey } of await openStoredSigningKeys(dataDir)) {
    secrets.push(...spellings(privateKey.export({ format: 'der', type: 'pkcs8' })))
    const d = privateKey.export({ format: 'jwk' }).d
    if (d !== undefined) secrets.push(d, ...spellings(Buffer.from(d, 'base64url')))
    secrets.push(
      ...privateKey
        .export({ format: 'pem', type: 'pkcs8' })
        .toString()
        .split('\n')
        .filter((line) => line.length > 20 && !line.startsWith('-')),
    )
  }
  assert.ok(secrets.length > 8)
  for (const [place, bytes] of haystacks) {
    if (place.endsWith('master.key')) continue
    for (const secret of secrets) assert.equal(bytes.includes(secret), false, `a private key is in ${place}`)
  }
  const kept = readStoredTexts(dataDir)
  assert.ok(
    kept.some((text) => text.includes('[redacted token]')),
    'no token ever reached the place where it is replaced',
  )
  t.diagnostic(`${spread.answers.length} answers, ${log.length} bytes of log, ${haystacks.size} places searched`)
})

test('the data folder and everything in it belong to their owner alone', async (t) => {
  const dataDir = join(await temporaryFolder(t), 'data')
  const service = await serve(t, { dataDir })
  const modes = () => readdirSync(dataDir).map((name) => [name, statSync(join(dataDir, name)).mode & 0o777] as const)
  assert.equal(statSync(dataDir).mode & 0o777, 0o700)
  const running = modes()
  assert.ok(running.some(([name]) => name === 'rescind.db-wal'))
  await service.stop()
  for (const [name, mode] of [...running, ...modes()]) assert.equal(mode, 0o600, name)
})

function serialised(answer: ClientAnswer | RawAnswer): string {
  return JSON.stringify(answer.headers) + ('text' in answer ? answer.text : answer.body)
}

/** The whole token, its parts, and every stretch of its signature long enough to matter. */
function needles(token: string): readonly string[] {
  const jwt = token.slice(token.indexOf('_') + 1)
  const [, payload = '', signature = ''] = jwt.split('.')
  const stretches: string[] = []
  for (let at = 0; at + 20 <= signature.length; at++) stretches.push(signature.slice(at, at + 20))
  const whole = [token, jwt, payload, signature]
  return [
    ...whole,
    ...whole.map((text) => text.toLowerCase()),
    ...stretches,
    Buffer.from(signature, 'base64url').toString('latin1'),
  ]
}

function spellings(secret: Buffer): readonly (string | Buffer)[] {
  return [
    secret,
    secret.toString('hex'),
    secret.toString('base64'),
    secret.toString('base64').replace(/=+$/, ''),
    secret.toString('base64url'),
  ]
}

/** Every byte of every file, by name. */
function storedBytes(dataDir: string): (readonly [string, Buffer])[] {
  return readdirSync(dataDir).map((name) => [join(dataDir, name), readFileSync(join(dataDir, name))] as const)
}

/** The free texts that were stored. */
function readStoredTexts(dataDir: string): string[] {
  const db = new DatabaseSync(join(dataDir, 'rescind.db'), { readOnly: true })
  try {
    const rows = db
      .prepare(
        "SELECT name || ' ' || coalesce(description, '') || ' ' || coalesce(revocation_reason, '') AS text FROM tokens",
      )
      .all()
    return rows.map(({ text }) => String(text))
  } finally {
    db.close()
  }
}
