import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { runSample, type SampleAnswer, sampleSkip } from '../../packages/server/test/contract/run-sample.ts'
import { ownPostgres } from '../../postgres/own-postgres.ts'
import { ApiClient } from '../load/api-client.ts'
import { createHolders, type Holder } from '../load/holders.ts'
import { type IssuedToken, issueTo } from '../load/issue-token.ts'
import { TcpProxy } from '../network/tcp-proxy.ts'
import { ServiceProcess } from '../processes/service-process.ts'
import { RunClock } from '../run-clock.ts'
import { inTemporaryFolder } from '../temporary-folder.ts'

const LANGUAGES = (['bash', 'javascript', 'python'] as const).filter((language) => sampleSkip(language) === false)
const LEAST_ROUNDS = 2
const LEAST_KILLS = 3
const LEASE_MS = 2_000
const FIRST = /^TOKEN_REVOKED$/
/** An attempt whose node was killed after its commit has revoked the token all the same. */
const FIRST_OR_AGAIN = /^TOKEN_(?:ALREADY_)?REVOKED$/
/** Between the return of one node and the end of the next. */
const APART_MS = 1_500

test('the clients of the reference page revoke tokens while one of three nodes is always being killed', async (t) => {
  const server = await ownPostgres(t)
  if (!server) return
  await inTemporaryFolder(async (folder) => {
    const { nodes, failed } = await startNodes(t, folder, server.url)
    // As a balancer does: whoever connects is led to the next node that listens.
    let connections = 0
    const balancer = await TcpProxy.open(() => {
      const listening = nodes.filter(({ isListening }) => isListening)
      connections += 1
      return listening[connections % listening.length]?.port ?? 0
    })
    t.after(() => balancer.close())
    const balancerUrl = `http://127.0.0.1:${balancer.port}`
    const api = apiOf(t, [balancerUrl], nodes)
    const [holder] = await createHolders(api, 1, 1)
    if (holder === undefined) return assert.fail('no holder')
    const caller = await issueTo(api, holder)

    const enough = new AbortController()
    let kills = 0
    const killing = killInTurn(enough.signal, nodes, () => {
      kills += 1
    })
    let repeated = 0
    let round = 0
    for (; round < LEAST_ROUNDS || kills < LEAST_KILLS; round += 1) {
      for (const language of LANGUAGES) {
        const own = join(folder, `${language}-${round}`)
        await mkdir(own)
        const revoked = await issueTo(api, holder)
        const { businessId } = holder
        const target = { url: balancerUrl, tokenId: revoked.id, token: caller.token, businessId }
        const revoking = untilAnswered(() => runSample(language, target, own))
        const { answer, attempts } = await Promise.race([revoking, failed])
        repeated += attempts - 1
        assert.equal(answer.status, 201)
        assert.match(answer.body.code, attempts === 1 ? FIRST : FIRST_OR_AGAIN)
        for (const node of nodes) if (node.isListening) await assertDead(apiOf(t, [node.url], nodes), revoked, holder)
      }
    }
    enough.abort()
    await Promise.race([killing, failed])
    t.diagnostic(`${round * LANGUAGES.length} tokens revoked, ${kills} nodes killed, ${repeated} clients repeated`)
  })
})

async function startNodes(t: TestContext, folder: string, databaseUrl: string) {
  const { promise: failed, reject: onFailure } = Promise.withResolvers<never>()
  failed.catch(() => {})
  const masterKey = randomBytes(32).toString('hex')
  const env = { DATABASE_URL: databaseUrl, RESCIND_MASTER_KEY: masterKey, RESCIND_DATA_DIR: folder }
  const setting = (number: number) => ({ folder, number, leaseMs: LEASE_MS, env, onFailure })
  const nodes = [await ServiceProcess.start(setting(0))]
  t.after(() => Promise.all(nodes.map((node) => node.abandon())))
  for (const number of [1, 2]) nodes.push(await ServiceProcess.join(setting(number)))
  return { nodes, failed }
}

function apiOf(t: TestContext, urls: readonly string[], nodes: readonly ServiceProcess[]): ApiClient {
  const api = new ApiClient(urls, nodes[0]?.operatorToken ?? '', new RunClock())
  t.after(() => api.close())
  return api
}

/** One after the other, round and round. */
async function killInTurn(stop: AbortSignal, nodes: readonly ServiceProcess[], onKill: () => void): Promise<void> {
  for (let turn = 0; !stop.aborted; turn += 1) {
    const node = nodes[turn % nodes.length]
    await node?.kill()
    onKill()
    await node?.startAgain()
    await pause(APART_MS, undefined, { signal: stop }).catch(() => {})
  }
}

/** Runs a client again whose node was killed under it, or could not answer. */
async function untilAnswered(run: () => Promise<SampleAnswer>): Promise<{ answer: SampleAnswer; attempts: number }> {
  for (let attempts = 1; ; attempts += 1) {
    const answer = await run().catch(() => undefined)
    if (answer !== undefined && answer.status !== 503) return { answer, attempts }
  }
}

/** A node that is killed meanwhile says nothing. */
async function assertDead(api: ApiClient, { token }: IssuedToken, { businessId }: Holder): Promise<void> {
  const answer = await api
    .send({ method: 'POST', path: '/tokens/verify', businessId, body: { token } })
    .catch(() => undefined)
  if (answer?.status === 200) assert.equal(answer.json.data.status, 'rejected')
  else assert.ok(answer === undefined || answer.status === 503, `${answer?.status}`)
}
