import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Client } from 'pg'
import { decodeText } from '../../storage/postgres/text-values.ts'

/** Every row of every table as text, in some order that depends on nothing but the rows. */
export type StoredRows = Readonly<Record<string, readonly string[]>>

/** What only one of the databases has, or what each counts for itself. */
const LEFT_OUT = ['schema_migrations', 'fence']
const OWN_COLUMN = 'ordinal'

/** Read by other means than the program's own. */
export function rowsOfFolder(dataDir: string): StoredRows {
  const db = new DatabaseSync(join(dataDir, 'rescind.db'), { readOnly: true })
  try {
    const tables = db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`).all()
    const names = tables.map(({ name }) => String(name)).filter((name) => !LEFT_OUT.includes(name))
    return Object.fromEntries(names.map((name) => [name, texts(db.prepare(`SELECT * FROM ${name}`).all(), String)]))
  } finally {
    db.close()
  }
}

/** As {@link rowsOfFolder}. */
export async function rowsOfSchema(url: string, schema: string): Promise<StoredRows> {
  const client = new Client(url)
  await client.connect()
  try {
    const tables = await client.query(
      'SELECT relname AS name FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind = $2 ORDER BY relname',
      [schema, 'r'],
    )
    const names = tables.rows.map(({ name }) => String(name)).filter((name) => !LEFT_OUT.includes(name))
    const rows: Record<string, readonly string[]> = {}
    for (const name of names) {
      rows[name] = texts((await client.query(`SELECT * FROM "${schema}".${name}`)).rows, (value) =>
        decodeText(String(value)),
      )
    }
    return rows
  } finally {
    await client.end()
  }
}

function texts(rows: readonly Readonly<Record<string, unknown>>[], decode: (value: unknown) => string): string[] {
  return rows
    .map((row) =>
      JSON.stringify(
        Object.entries(row)
          .filter(([column]) => column !== OWN_COLUMN)
          .map(([column, value]) => [column, textOf(value, decode)]),
      ),
    )
    .toSorted()
}

function textOf(value: unknown, decode: (value: unknown) => string): string | null {
  if (value === null) return null
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : decode(value)
}
