import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createHttpClient, type HttpClient } from '../service/http-client.ts'
import { temporaryFolder } from '../service/running-service.ts'
import { printedTokens, type ServiceProcess, serve } from '../service/service-process.ts'
import { createRandom, type Random } from './random.ts'
import { RevocationLoad, tryAll } from './revocation-load.ts'
import { isEndedByLog, readStoredState } from './stored-state.ts'

/** More of them, or other ones, for a longer run. */
const CYCLES = Number(process.env.RESCIND_TEST_KILL_CYCLES ?? 16)
const SEED = Number(process.env.RESCIND_TEST_SEED ?? 20_261_122)

/** Independent services, so that one starts while another is loaded. */
const LANES = 2
const WIDTH = 12
const MOST_ANSWERS = 60
/** After each kill the first revocations wait for leases that nobody remembers: the shorter, the more is done. */
const ENV = { RESCIND_MAX_ACTIVE_TOKENS: '1000000', RESCIND_LEASE_SECONDS: '2' }

test('whatever was answered before kill -9 holds after it, and no revoked token is ever accepted', async (t) => {
  const startedMs = performance.now()
  const lanes = Array.from({ length: LANES }, (_, lane) => runLane(t, createRandom(SEED + lane), lane))
  const counts = await Promise.all(lanes)
  const sum = (name: keyof LaneCounts) => counts.reduce((total, count) => total + count[name], 0)
  assert.equal(sum('cycles'), CYCLES)
  assert.ok(sum('revoked') > CYCLES && sum('issued') > CYCLES, 'the load was no load')
  assert.ok(sum('unanswered') > 0, 'no kill fell between a commit and its answer')
  t.diagnostic(
    `seed ${SEED}: ${CYCLES} kills, ${sum('answers')} answers, ${sum('issued')} issued, ${sum('revoked')} revoked, ` +
      `${sum('entries')} log entries, ${sum('unanswered')} commits without an answer, ${sum('checked')} tokens tried, ` +
      `start ${Math.round(sum('startMs') / CYCLES)} ms on average, ${Math.round(performance.now() - startedMs)} ms in all`,
  )
})

interface LaneCounts {
  cycles: number
  answers: number
  issued: number
  revoked: number
  entries: number
  unanswered: number
  checked: number
  startMs: number
}

async function runLane(t: TestContext, random: Random, lane: number): Promise<LaneCounts> {
  const dataDir = await temporaryFolder(t)
  const cycles = Math.floor((CYCLES + lane) / LANES)
  let service = await serve(t, { dataDir, env: ENV })
  let client = createHttpClient(service.url)
  const load = new RevocationLoad((await printedTokens(service)).operatorToken, random)
  await load.createTenants(client, 2, 3)

  let dead: ReadonlySet<string> = new Set()
  let seen = 0
  let checked = 0
  let startMs = 0
  for (let cycle = 0; cycle < cycles; cycle++) {
    await runUntilKilled(service, client, load, 1 + random.below(MOST_ANSWERS))
    const state = await readStoredState(dataDir)
    for (const token of state.tokens.values()) assert.equal(isEndedByLog(state, token), token.revokedSeq !== null)
    dead = load.judge(state)

    const before = performance.now()
    service = await serve(t, { dataDir, env: ENV })
    startMs += performance.now() - before
    client = createHttpClient(service.url)
    const fresh = load.issued.slice(seen)
    seen = load.issued.length
    const older = Array.from({ length: 10 }, () => random.pick(load.issued))
    checked += await tryAll(client, load.issued.length === 0 ? [] : [...fresh, ...older], dead)
  }

  checked += await tryAll(client, load.issued, dead)
  assert.equal(load.unavailable, 0)
  client.close()
  assert.deepEqual(await service.stop(), { code: 0, signal: null })
  const last = await readStoredState(dataDir)
  load.judge(last)
  const { answers, unanswered } = load
  const revoked = load.issued.filter(({ id }) => dead.has(id)).length
  const entries = last.entries.length
  return { cycles, answers, issued: load.issued.length, revoked, entries, unanswered, checked, startMs }
}

async function runUntilKilled(
  service: ServiceProcess,
  client: HttpClient,
  load: RevocationLoad,
  afterAnswers: number,
): Promise<void> {
  let left = afterAnswers
  const gone = load.run(client, WIDTH, () => {
    left -= 1
    if (left === 0) service.child.kill('SIGKILL')
  })
  await gone
  assert.deepEqual(await service.exited, { code: null, signal: 'SIGKILL' })
  client.close()
}
