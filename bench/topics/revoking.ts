import { eachOnce } from '../load/next-request.ts'
import { requestBytes } from '../load/request-bytes.ts'
import { measureLoad } from '../load/rounds.ts'
import { type Bar, loadRows } from '../report/row.ts'
import type { Servers } from '../servers/servers.ts'
import { BARE_COMMIT } from './bare-commit.ts'
import { CLIENT_COUNTS, type ClientCount, type Topic, withClients } from './topic.ts'

const REVOKING = 'revoke over HTTP'
const BARS: Readonly<Record<ClientCount, Bar>> = { 1: { atLeast: 0.4 }, 32: { atLeast: 2 } }

/** @param takeIds hands over the ids of tokens that are not revoked yet; each is revoked once */
export function revoking({ rescind }: Servers, windowMs: number, takeIds: () => string[]): Topic {
  const { ownerToken: token, businessId } = rescind
  const requests = (ids: readonly string[]) =>
    ids.map((id) => requestBytes({ method: 'POST', path: `/api/v1/tokens/${id}/revoke`, token, businessId, json: {} }))
  let left: Buffer[] = []
  return {
    items: CLIENT_COUNTS.map((clients) => ({
      name: withClients(REVOKING, clients),
      measure: async () => {
        left.push(...requests(takeIds()))
        const sample = await measureLoad(rescind, {
          clients,
          next: eachOnce(left),
          durationMs: windowMs,
          expectedStatus: 201,
        })
        left = left.slice(sample.requests)
        return sample
      },
    })),
    rows: (samples) =>
      CLIENT_COUNTS.flatMap((clients) =>
        loadRows(samples, withClients(REVOKING, clients), [{ name: BARE_COMMIT, bar: BARS[clients] }]),
      ),
  }
}
