import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** What stands for the placeholders of a sample. */
interface SampleTarget {
  readonly url: string
  readonly tokenId: string
  /** Of the caller. */
  readonly token: string
  readonly businessId: string
}

export interface SampleAnswer {
  readonly status: number
  readonly body: { readonly success: boolean; readonly code: string; readonly data: { readonly id: string } }
}

export type SampleLanguage = 'bash' | 'javascript' | 'python'

const PYTHON = '/usr/bin/python3'

const run = promisify(execFile)

/** Why a sample cannot be run on this machine; `false` when it can. */
export function sampleSkip(language: SampleLanguage): string | false {
  if (language === 'bash') return missing('curl', ['--version'])
  return language === 'python' && missing(PYTHON, ['-c', 'import httpx'])
}

/**
 * Runs a client that the reference page of the revoke endpoint shows, as it is but for the server, the token to revoke,
 * the caller's token and the business.
 *
 * @param folder empty
 */
export async function runSample(language: SampleLanguage, target: SampleTarget, folder: string): Promise<SampleAnswer> {
  const code = sampleCode(language, target)
  if (language === 'bash') {
    // The sample prints the body; curl's own settings make it print the status as well.
    await writeFile(join(folder, '.curlrc'), 'silent\nwrite-out = "\\n%{http_code}"\n')
    const { stdout } = await run('bash', ['-euc', code], { env: { ...process.env, CURL_HOME: folder } })
    const [body = '', status] = stdout.split('\n')
    return { status: Number(status), body: JSON.parse(body) }
  }
  if (language === 'javascript') {
    const file = join(folder, 'sample.mjs')
    await writeFile(file, `${code}\nconsole.log(JSON.stringify([response.status, data]))\n`)
    return parsed((await run(process.execPath, [file])).stdout)
  }
  const report = 'import json\nprint(json.dumps([response.status_code, data]))\n'
  return parsed((await run(PYTHON, ['-c', `${code}\n${report}`])).stdout)
}

function sampleCode(language: SampleLanguage, { url, tokenId, token, businessId }: SampleTarget): string {
  const page = readFileSync(join(import.meta.dirname, 'revoke-token.samples.md'), 'utf8')
  const blocks = [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
  assert.deepEqual(
    blocks.map(([, each]) => each),
    ['bash', 'javascript', 'python'],
  )
  let code = blocks.find(([, each]) => each === language)?.[2] ?? ''
  for (const [placeholder, value] of [
    ['https://api.ondayzero.com', url],
    ['{token_id}', tokenId],
    ['dz_your_token', token],
    ['YOUR_BUSINESS_ID', businessId],
  ] as const) {
    assert.equal(code.split(placeholder).length, 2, `${placeholder} stands in the ${language} sample once`)
    code = code.replace(placeholder, value)
  }
  return code
}

function parsed(printed: string): SampleAnswer {
  const [status, body] = JSON.parse(printed)
  return { status, body }
}

function missing(command: string, args: readonly string[]): string | false {
  const works = spawnSync(command, args, { stdio: 'ignore' }).status === 0
  return works ? false : `${[command, ...args].join(' ')} does not work on this machine`
}
