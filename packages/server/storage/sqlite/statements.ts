import type { DatabaseSync } from 'node:sqlite'
import { auditEventStatements } from './audit-events.ts'
import { bulkRevocationStatements } from './bulk-revocations.ts'
import { idxCounterStatements } from './idx-counter.ts'
import { installationStatements } from './installation.ts'
import { memberStatements } from './members.ts'
import { nodeStatements } from './nodes.ts'
import { revocationLogStatements } from './revocation-log.ts'
import { signingKeyStatements } from './signing-keys.ts'
import { standingStatements } from './standing.ts'
import { tokenListStatements } from './token-lists.ts'
import { tokenStatements } from './tokens.ts'

export type Statements = ReturnType<typeof prepareStatements>

/** Everything the storage asks of the database, prepared once. All of it runs synchronously. */
export function prepareStatements(db: DatabaseSync) {
  return {
    ...installationStatements(db),
    ...revocationLogStatements(db),
    ...idxCounterStatements(db),
    ...tokenStatements(db),
    ...standingStatements(db),
    ...tokenListStatements(db),
    ...bulkRevocationStatements(db),
    ...memberStatements(db),
    ...signingKeyStatements(db),
    ...auditEventStatements(db),
    ...nodeStatements(db),
  }
}
