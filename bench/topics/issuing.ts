import { cycle } from '../load/next-request.ts'
import { requestBytes } from '../load/request-bytes.ts'
import { measureLoad } from '../load/rounds.ts'
import { issuedToken, issueRequest, type Population } from '../population.ts'
import { loadRows } from '../report/row.ts'
import type { Servers } from '../servers/servers.ts'
import { BARE_COMMIT } from './bare-commit.ts'
import { CLIENT_COUNTS, type Topic, withClients } from './topic.ts'

const ISSUING = 'issue over HTTP'

/** @param onIssued is given the id of every token issued */
export function issuing(
  { rescind }: Servers,
  population: Population,
  windowMs: number,
  onIssued: (id: string) => void,
): Topic {
  const { businessId } = rescind
  const next = cycle(population.memberTokens.map((token) => requestBytes(issueRequest({ token, businessId }))))
  return {
    items: CLIENT_COUNTS.map((clients) => ({
      name: withClients(ISSUING, clients),
      measure: () =>
        measureLoad(rescind, {
          clients,
          next,
          durationMs: windowMs,
          expectedStatus: 201,
          onBody: (body) => onIssued(issuedToken(body).id),
        }),
    })),
    rows: (samples) =>
      CLIENT_COUNTS.flatMap((clients) => loadRows(samples, withClients(ISSUING, clients), [{ name: BARE_COMMIT }])),
  }
}
