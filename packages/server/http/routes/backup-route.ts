import { defineRoute, type Route } from '../route.ts'
import type { Services } from '../services.ts'

/** A copy of everything. Operators only. */
export function backupRoute({ access, makeBackup }: Services): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/v1/backup',
    operationId: 'make_backup_api_v1_backup_post',
    tag: 'system',
    summary: 'Back up',
    description:
      'Everything that is stored in the embedded database, as one file that `rescind restore` takes. The master key is not in it. The service goes on meanwhile.',
    scopes: ['operator'],
    business: 'none',
    success: { status: 200, description: 'A SQLite database.', mediaType: 'application/vnd.sqlite3' },
    errors: ['backup_elsewhere', 'backup_no_room'],
    handler: async (call) => {
      const made = await makeBackup(access.writeAs(call))
      return 'refused' in made ? made : { file: made }
    },
  })
}
