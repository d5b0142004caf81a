import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Config, readConfig } from '../../config.ts'
import { startService } from '../../server.ts'
import type { Answered } from './answered.ts'
import { type Declared, readDeclared } from './declared-answers.ts'
import { databaseConfig } from './test-database.ts'

/** Whatever runs a function when it ends: a test, or a file of tests. */
interface Lifetime {
  after(end: () => Promise<unknown>): void
}

interface Credentials {
  readonly businessId: string
  readonly ownerToken: string
  readonly operatorToken: string
}

/** A real service on a real port and a real database in a folder of its own, and a client for it. */
export interface RunningService extends Credentials {
  readonly url: string
  readonly dataDir: string
  /** Sends a request. The answer must be one that the service's own OpenAPI document declares. */
  call(method: string, path: string, options?: CallOptions): Promise<Answered>
  /** Resolves when it may decide: a clock that is set costs it its lease until the next renewal. */
  ready(): Promise<void>
  /** Stops it now instead of at the end of the test. */
  stop(): Promise<void>
  /** Starts another one on the same database, with the same tokens in hand. */
  beside(changes?: Partial<Config>): Promise<RunningService>
  /** Stops it and starts another one on the same folder, with the same tokens in hand. */
  restart(changes?: Partial<Config>): Promise<RunningService>
}

export interface CallOptions {
  /** `null` for none; the owner's unless given. */
  readonly token?: string | null
  /** `x-business-id`: `null` for none; the first business unless given. */
  readonly business?: string | null
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly json?: unknown
  /** Sent as it is; bytes carry no content type. */
  readonly body?: string | Uint8Array<ArrayBuffer>
}

export async function temporaryFolder(t: Lifetime): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rescind-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export function testConfig(dataDir: string, changes: Partial<Config> = {}): Config {
  return { ...readConfig({}), ...databaseConfig(dataDir), port: 0, dataDir, logLevel: 'silent', ...changes }
}

export async function runService(t: Lifetime, changes: Partial<Config> = {}): Promise<RunningService> {
  const running: RunningService[] = []
  // Hooks run in the order of their registration: the services have to be stopped before their folder is removed.
  t.after(async () => {
    for (const { stop } of running) await stop()
  })
  const dataDir = changes.dataDir ?? (await temporaryFolder(t))
  return start(running, { ...changes, dataDir }, { businessId: '', ownerToken: '', operatorToken: '' })
}

async function start(
  running: RunningService[],
  changes: Partial<Config> & { readonly dataDir: string },
  known: Credentials,
): Promise<RunningService> {
  const { url, firstTokens, stop: stopService } = await startService(testConfig(changes.dataDir, changes))
  const credentials = firstTokens ?? known
  let stopped: Promise<void> | undefined
  let declared: Promise<Declared> | undefined
  const service: RunningService = {
    ...credentials,
    url,
    dataDir: changes.dataDir,
    ready: async () => {
      while ((await fetch(`${url}/health/ready`)).status !== 200) await delay(10)
    },
    stop: () => {
      stopped ??= stopService()
      return stopped
    },
    beside: (further = {}) => start(running, { ...changes, ...further }, credentials),
    restart: async (further = {}) => {
      await service.stop()
      return start(running, { ...changes, ...further }, credentials)
    },
    call: async (method, path, options = {}) => {
      declared ??= readDeclared(url)
      const answered = await call(url, method, path, credentials, options)
      ;(await declared).check(method, path, answered)
      return answered
    },
  }
  running.push(service)
  return service
}

async function call(
  url: string,
  method: string,
  path: string,
  first: Credentials,
  { token = first.ownerToken, business = first.businessId, headers = {}, json, body }: CallOptions,
): Promise<Answered> {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...(business !== null && { 'x-business-id': business }),
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(json !== undefined ? { body: JSON.stringify(json) } : body !== undefined && { body }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: parsed(text) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
