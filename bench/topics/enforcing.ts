import { InForceAnswers } from '../load/in-force-answers.ts'
import { eachOnce } from '../load/next-request.ts'
import { measureLoad } from '../load/rounds.ts'
import type { Population } from '../population.ts'
import { differenceCells, latencyCells, loadRow, type Row, samplesOf } from '../report/row.ts'
import type { Servers } from '../servers/servers.ts'
import type { TokenSupply } from '../token-supply.ts'
import { BARE_COMMIT } from './bare-commit.ts'
import { revokeRequest } from './revoking.ts'
import type { Topic } from './topic.ts'

/** Verifiers attached, and tokens at hand for each millisecond: a faster service ends its window early. */
const SETTINGS = [
  { attached: 0, who: 'nobody attached', tokensPerMs: 2 },
  { attached: 1, who: '1 attached process', tokensPerMs: 2 },
  { attached: 8, who: '8 attached processes', tokensPerMs: 1 },
  { attached: 64, who: '64 attached in 8 processes', tokensPerMs: 0.5 },
].map(({ who, ...counts }) => ({ name: `revoke → in force, ${who}, 1 client`, ...counts }))

/** The p99, in milliseconds more than that of the bare commit: what the network and the verifiers may add. */
const BAR = { attached: 8, atMost: 10 }

const PARTS = { commit: '– until durable', enforce: '– from then on until in force' } as const

/** One token revoked after the other, each answer after it was applied by every attached verifier. */
export function enforcing(
  { rescind, followers }: Servers,
  supply: TokenSupply,
  { feedToken }: Population,
  windowMs: number,
): Topic {
  return {
    items: SETTINGS.map(({ name, attached, tokensPerMs }) => ({
      name,
      measure: async () => {
        const tokens = await supply.take(Math.ceil(windowMs * tokensPerMs))
        const answers = new InForceAnswers(attached)
        const next = eachOnce(tokens.map(({ id }) => revokeRequest(rescind, id)))
        const onHead = (head: string) => answers.add(head)
        const load = { clients: 1, next, durationMs: windowMs, expectedStatus: 201, onHead }
        const sample = await followers.during(attached, rescind, feedToken, () => measureLoad(rescind, load))
        supply.putBack(tokens.slice(sample.requests))
        return { ...sample, parts: answers.parts() }
      },
    })),
    rows: (samples) =>
      SETTINGS.flatMap(({ name, attached }): Row[] => {
        const own = samplesOf(samples, name)
        const comparison = differenceCells({
          ours: own.map(({ p99Ms }) => p99Ms),
          theirs: samplesOf(samples, BARE_COMMIT).map(({ p99Ms }) => p99Ms),
          against: `${BARE_COMMIT}, p99`,
          ...(attached === BAR.attached && { bar: BAR }),
        })
        const parts = Object.entries(PARTS).map(([part, what]) => ({
          what,
          ...latencyCells(own.flatMap(({ parts }) => parts?.[part] ?? [])),
        }))
        return [{ ...loadRow(samples, name), ...comparison }, ...parts]
      }),
  }
}
