import { withClient } from './connections.ts'
import { connectOrRefuse, type PostgresOptions } from './open-postgres.ts'
import { refusal } from './refusal.ts'

/**
 * Whether anything was ever set up in a schema. Looks, and makes nothing.
 *
 * @throws StorageRefused when the database cannot be used; see `openPostgres`
 */
export async function hasTables(address: Omit<PostgresOptions, 'listen'>): Promise<boolean> {
  const connections = connectOrRefuse(address, () => {})
  try {
    const { rows } = await withClient(connections.shared, (client) =>
      client.query<{ found: boolean }>('SELECT to_regclass($1) IS NOT NULL AS found', [
        `"${address.schema}".schema_migrations`,
      ]),
    )
    return rows[0]?.found === true
  } catch (error) {
    throw refusal(error)
  } finally {
    await connections.end()
  }
}
