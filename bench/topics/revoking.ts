import { eachOnce } from '../load/next-request.ts'
import { requestBytes } from '../load/request-bytes.ts'
import { measureLoad } from '../load/rounds.ts'
import { type Bar, loadRows } from '../report/row.ts'
import type { RescindService } from '../servers/rescind-process.ts'
import type { Servers } from '../servers/servers.ts'
import type { TokenSupply } from '../token-supply.ts'
import { BARE_COMMIT } from './bare-commit.ts'
import { CLIENT_COUNTS, type ClientCount, type Topic, withClients } from './topic.ts'

const REVOKING = 'revoke over HTTP'
const BARS: Readonly<Record<ClientCount, Bar>> = { 1: { atLeast: 0.4 }, 32: { atLeast: 2 } }

/** Tokens at hand for each millisecond. A faster service ends its window early, when it has revoked them all. */
const TOKENS_PER_MS: Readonly<Record<ClientCount, number>> = { 1: 2, 32: 6 }

/** The owner revoking members' tokens, each once: every answer stands for a durable commit. */
export function revoking({ rescind }: Servers, supply: TokenSupply, windowMs: number): Topic {
  return {
    items: CLIENT_COUNTS.map((clients) => ({
      name: withClients(REVOKING, clients),
      measure: async () => {
        const tokens = await supply.take(windowMs * TOKENS_PER_MS[clients])
        const next = eachOnce(tokens.map(({ id }) => revokeRequest(rescind, id)))
        return measureLoad(rescind, { clients, next, durationMs: windowMs, expectedStatus: 201 })
      },
    })),
    rows: (samples) =>
      CLIENT_COUNTS.flatMap((clients) =>
        loadRows(samples, withClients(REVOKING, clients), [{ name: BARE_COMMIT, bar: BARS[clients] }]),
      ),
  }
}

/** The owner revoking a token of a member. */
export function revokeRequest({ ownerToken: token, businessId }: RescindService, id: string): Buffer {
  return requestBytes({ method: 'POST', path: `/api/v1/tokens/${id}/revoke`, token, businessId, json: {} })
}
