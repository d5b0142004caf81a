import { loadRow } from '../report/row.ts'
import type { Servers } from '../servers/servers.ts'
import type { Topic } from './topic.ts'

export const BARE_COMMIT = 'bare SQLite commit of one row'

/** What being durable costs at the very least. */
export function bareCommit({ commits }: Servers, windowMs: number): Topic {
  return {
    items: [{ name: BARE_COMMIT, measure: () => commits.commitFor(windowMs) }],
    rows: (samples) => [loadRow(samples, BARE_COMMIT)],
  }
}
