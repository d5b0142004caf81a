import { measureLoad } from '../load/rounds.ts'
import { loadRows } from '../report/row.ts'
import type { Servers } from '../servers/servers.ts'
import type { TokenSupply } from '../token-supply.ts'
import { BARE_COMMIT } from './bare-commit.ts'
import { CLIENT_COUNTS, type Topic, withClients } from './topic.ts'

const ISSUING = 'issue over HTTP'

/** Members issuing tokens to themselves; the tokens go to the supply. */
export function issuing({ rescind }: Servers, supply: TokenSupply, windowMs: number): Topic {
  return {
    items: CLIENT_COUNTS.map((clients) => ({
      name: withClients(ISSUING, clients),
      measure: () =>
        measureLoad(rescind, {
          clients,
          next: () => supply.nextRequest(),
          durationMs: windowMs,
          expectedStatus: 201,
          onBody: (body) => supply.add(body),
        }),
    })),
    rows: (samples) =>
      CLIENT_COUNTS.flatMap((clients) => loadRows(samples, withClients(ISSUING, clients), [{ name: BARE_COMMIT }])),
  }
}
