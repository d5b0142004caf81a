import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { assertAlive, type Issued, issued } from '../service/provisioning.ts'
import { type RunningService, runService, temporaryFolder } from '../service/running-service.ts'

const PYTHON = '/usr/bin/python3'

const run = promisify(execFile)

/** The clients that the reference page of the revoke endpoint shows, by language. */
let samples: ReadonlyMap<string, string>

before(() => {
  const page = readFileSync(join(import.meta.dirname, '../contract/revoke-token.samples.md'), 'utf8')
  const blocks = page.matchAll(/^```(\w+)\n(.*?)^```$/gms)
  samples = new Map([...blocks].map(([, language = '', code = '']) => [language, code]))
  assert.deepEqual([...samples.keys()], ['bash', 'javascript', 'python'])
})

test('the curl client of the reference page revokes a token', { skip: missing('curl', ['--version']) }, async (t) => {
  const { service, target, code, folder } = await prepare(t, 'bash')
  // The sample prints the body; curl's own settings make it print the status as well.
  await writeFile(join(folder, '.curlrc'), 'silent\nwrite-out = "\\n%{http_code}"\n')
  const env = { ...process.env, CURL_HOME: folder }
  const { stdout } = await run('bash', ['-euc', code], { env })
  const [body = '', status] = stdout.split('\n')
  await assertRevoked(service, target, Number(status), JSON.parse(body))
})

test('the fetch client of the reference page revokes a token', async (t) => {
  const { service, target, code, folder } = await prepare(t, 'javascript')
  const file = join(folder, 'sample.mjs')
  await writeFile(file, `${code}\nconsole.log(JSON.stringify([response.status, data]))\n`)
  const { stdout } = await run(process.execPath, [file])
  const [status, body] = JSON.parse(stdout)
  await assertRevoked(service, target, status, body)
})

test('the httpx client of the reference page revokes a token', {
  skip: missing(PYTHON, ['-c', 'import httpx']),
}, async (t) => {
  const { service, target, code } = await prepare(t, 'python')
  const report = 'import json\nprint(json.dumps([response.status_code, data]))\n'
  const { stdout } = await run(PYTHON, ['-c', `${code}\n${report}`])
  const [status, body] = JSON.parse(stdout)
  await assertRevoked(service, target, status, body)
})

/** The sample with nothing replaced but the server, the token to revoke, the caller's token and the business. */
async function prepare(t: TestContext, language: string) {
  const service = await runService(t)
  const target = issued(await service.call('POST', '/api/v1/tokens', { json: { name: 'target' } }))
  const replacements: readonly (readonly [string, string])[] = [
    ['https://api.ondayzero.com', service.url],
    ['{token_id}', target.id],
    ['dz_your_token', service.ownerToken],
    ['YOUR_BUSINESS_ID', service.businessId],
  ]
  let code = samples.get(language) ?? ''
  for (const [placeholder, value] of replacements) {
    assert.equal(code.split(placeholder).length, 2, `${placeholder} stands in the ${language} sample once`)
    code = code.replace(placeholder, value)
  }
  await assertAlive(service, target, true)
  return { service, target, code, folder: await temporaryFolder(t) }
}

async function assertRevoked(
  service: RunningService,
  target: Issued,
  status: number,
  body: { readonly success: boolean; readonly code: string; readonly data: { readonly id: string } },
): Promise<void> {
  assert.equal(status, 201)
  assert.equal(body.success, true)
  assert.equal(body.code, 'TOKEN_REVOKED')
  assert.equal(body.data.id, target.id)
  await assertAlive(service, target, false)
}

function missing(command: string, args: readonly string[]): string | false {
  const works = spawnSync(command, args, { stdio: 'ignore' }).status === 0
  return works ? false : `${[command, ...args].join(' ')} does not work on this machine`
}
