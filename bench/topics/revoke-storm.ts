import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Effort } from '../effort.ts'
import type { FollowerAnswer } from '../followers/follower-request.ts'
import type { Followers } from '../followers/followers.ts'
import { InForceAnswers } from '../load/in-force-answers.ts'
import { eachOnce } from '../load/next-request.ts'
import { measureLoad, type Sample } from '../load/rounds.ts'
import { type IssuedToken, populate } from '../population.ts'
import { latencyCells, loadRow, type Row } from '../report/row.ts'
import { latency } from '../report/statistics.ts'
import { type RescindProcess, startRescind } from '../servers/rescind-process.ts'
import { TokenSupply } from '../token-supply.ts'
import { revokeRequest } from './revoking.ts'

const ATTACHED = 8
const CLIENTS = 32
const TOKENS_PER_MS = 4

/** Shorter than usual: it is renewed twice a second, which makes heartbeats enough to tell of. */
const LEASE_SECONDS = 4
/** Every verifier renews its lease at least once in this time. */
const LEAST_WINDOW_MS = 600
/** So many times as long as other windows. */
const WINDOWS = 2

const STORM = `revoke storm, ${ATTACHED} attached processes, ${CLIENTS} clients`

/** What attached verifiers and those who wait for their verdicts notice of revocations as fast as they go. */
export async function revokeStorm(folder: string, followers: Followers, effort: Effort): Promise<Row[]> {
  const own = join(folder, 'storm')
  await mkdir(own)
  const rescind = await startRescind(own, { leaseSeconds: LEASE_SECONDS })
  try {
    return await stormRows(rescind, followers, effort)
  } finally {
    await rescind.stop()
  }
}

async function stormRows(
  rescind: RescindProcess,
  followers: Followers,
  { windowMs, rounds, warmUpRounds, members }: Effort,
): Promise<Row[]> {
  const population = await populate(rescind, { members, manyTokens: 0 })
  const { feedToken, fewHolder: verified } = population
  const supply = new TokenSupply(rescind, population)
  const durationMs = Math.max(WINDOWS * windowMs, LEAST_WINDOW_MS)
  const idle: FollowerAnswer[] = []
  const stormy: FollowerAnswer[] = []
  const samples: Sample[] = []
  await followers.during(ATTACHED, rescind, feedToken, async () => {
    for (let round = -warmUpRounds; round < rounds; round += 1) {
      const calm = await followers.observe(verified, () => pause(durationMs))
      const tokens = await supply.take(durationMs * TOKENS_PER_MS)
      const storm = await followers.observe(verified, () => revokeFor(durationMs, rescind, tokens))
      supply.putBack(tokens.slice(storm.result.requests))
      if (round < 0) continue
      idle.push(calm.observed)
      stormy.push(storm.observed)
      samples.push(storm.result)
    }
  })
  return [
    loadRow(new Map([[STORM, samples]]), STORM),
    ...observedRows('idle', idle),
    ...observedRows('revoke storm', stormy),
  ]
}

async function revokeFor(durationMs: number, rescind: RescindProcess, tokens: readonly IssuedToken[]): Promise<Sample> {
  const answers = new InForceAnswers(ATTACHED)
  const next = eachOnce(tokens.map(({ id }) => revokeRequest(rescind, id)))
  const onHead = (head: string) => answers.add(head)
  return measureLoad(rescind, { clients: CLIENTS, next, durationMs, expectedStatus: 201, onHead })
}

/** Of all rounds together, since a window holds few heartbeats. */
function observedRows(when: string, rounds: readonly FollowerAnswer[]): Row[] {
  const row = (what: string, read: (round: FollowerAnswer) => readonly number[]): Row => ({
    what: `${what}, ${when}`,
    ...latencyCells([latency(rounds.flatMap(read))]),
  })
  return [
    row('verify in an attached process', ({ verifications }) => verifications.tookMs),
    row('– how late it began', ({ verifications }) => verifications.lateMs),
    row('heartbeat of an attached process', ({ heartbeatsMs }) => heartbeatsMs),
  ]
}
