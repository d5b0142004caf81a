import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import type { VerifierStatus } from '@rescind/verifier'
import { ApiClient } from '../load/api-client.ts'
import { createHolders, type Holder } from '../load/holders.ts'
import { issueFeedToken, issueTo } from '../load/issue-token.ts'
import { TcpProxy } from '../network/tcp-proxy.ts'
import { ServiceProcess } from '../processes/service-process.ts'
import { RunClock } from '../run-clock.ts'
import { type Growth, growthOf } from './growth.ts'
import type { LeakOrder, LeakReport } from './leak-messages.ts'
import type { MemorySample } from './memory-sample.ts'

export interface LeakCheckOptions {
  readonly verifications: number
  readonly tokens: number
  readonly reconnections: number
  /** Empty, for data, logs and tokens. */
  readonly folder: string
}

export interface LeakOutcome {
  readonly samples: readonly MemorySample[]
  readonly growth: readonly Growth[]
  readonly counters: VerifierStatus['counters']
  /** Revocations that the verifier followed meanwhile. */
  readonly revocations: number
}

const PROGRAM = join(import.meta.dirname, 'leak-program.ts')
const LEASE_MS = 2_000
/** What issuing to somebody costs grows with what they have. */
const TOKENS_EACH = 50
const ISSUED_AT_A_TIME = 32
/** Left to itself, the space for new objects takes millions of verifications to grow to its full size. */
const YOUNG_SPACE_MB = 4

/** Has one verifier verify many tokens and lose its connection again and again, and looks at the memory it holds. */
export async function leakCheck({ folder, tokens, ...goals }: LeakCheckOptions): Promise<LeakOutcome> {
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => {})
  const onFailure = (fault: unknown) => failure.reject(fault)
  const env = { RESCIND_DATA_DIR: join(folder, 'data') }
  const service = await ServiceProcess.start({ folder, number: 0, leaseMs: LEASE_MS, env, onFailure })
  const api = new ApiClient([service.url], service.operatorToken, new RunClock())
  const proxy = await TcpProxy.open(service.port)
  try {
    const holders = await createHolders(api, 1, Math.ceil(tokens / TOKENS_EACH))
    const tokensFile = join(folder, 'tokens')
    const issued = await issueInto(tokensFile, tokens, api, holders)
    const url = `http://127.0.0.1:${proxy.port}`
    const enough = new AbortController()
    const revoking = revokeUntil(enough.signal, issued, api)
    revoking.catch(onFailure)
    const order = { url, token: await issueFeedToken(api), tokensFile, ...goals }
    const { samples, counters } = await Promise.race([observe(order, proxy), failure.promise])
    enough.abort()
    return { samples, growth: growthOf(samples), counters, revocations: await revoking }
  } finally {
    api.close()
    await proxy.close()
    await service.kill()
  }
}

/** Cuts every connection as soon as the verifier is connected, as often as it is to connect again. */
async function observe(order: LeakOrder, proxy: TcpProxy): Promise<Extract<LeakReport, { type: 'done' }>> {
  const child = fork(PROGRAM, { execArgv: ['--expose-gc', `--max-semi-space-size=${YOUNG_SPACE_MB}`] })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const { promise, resolve, reject } = Promise.withResolvers<Extract<LeakReport, { type: 'done' }>>()
  let cuts = 0
  child.on('message', (report: LeakReport) => {
    if (report.type === 'done') resolve(report)
    else if (cuts < order.reconnections) {
      cuts += 1
      proxy.cut()
    }
  })
  child.once('exit', (code, signal) => {
    process.off('exit', kill)
    reject(new Error(`The process under observation ended with ${code ?? signal}`))
  })
  child.send(order)
  return promise
}

interface Issued {
  readonly id: string
  readonly holder: Holder
}

async function issueInto(path: string, count: number, api: ApiClient, holders: readonly Holder[]): Promise<Issued[]> {
  const file = createWriteStream(path)
  const issued: Issued[] = []
  const turns = turnsOf(holders, count)
  const work = async () => {
    for (const holder of turns) {
      const { id, token } = await issueTo(api, holder)
      issued.push({ id, holder })
      file.write(`${token}\n`)
    }
  }
  await Promise.all(Array.from({ length: ISSUED_AT_A_TIME }, work))
  file.end()
  await once(file, 'finish')
  return issued
}

function* turnsOf(holders: readonly Holder[], count: number): Generator<Holder> {
  for (let turn = 0; turn < count; turn += 1) {
    const holder = holders[turn % holders.length]
    if (holder !== undefined) yield holder
  }
}

/** @returns how many were revoked, one after the other */
async function revokeUntil(stop: AbortSignal, issued: readonly Issued[], api: ApiClient): Promise<number> {
  let revoked = 0
  for (const { id, holder } of issued) {
    if (stop.aborted) break
    const { businessId, email } = holder
    const { status } = await api.send({ method: 'POST', path: `/tokens/${id}/revoke`, businessId, userEmail: email })
    if (status !== 201) throw new Error(`The service answered ${status} to a revocation`)
    revoked += 1
  }
  return revoked
}
