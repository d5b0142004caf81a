import { genesis } from '@rescind/protocol'
import { setNextIdx } from '../sql/idx-counter.ts'
import { insertHead, readInstallation } from '../sql/installation.ts'
import { type MovedRow, type MovedTable, namedRow, rowsWithLater } from '../sql/moved-tables.ts'
import { StorageRefused } from '../storage.ts'
import type { WholeInstallation, WholeTransaction } from '../whole-installation.ts'
import type { CheckedExport } from './check-export.ts'
import { describeInstallation } from './export-header.ts'
import { digestOf } from './export-lines.ts'
import { readExport } from './read-export.ts'

/**
 * Brings everything that was exported into an empty database, in one transaction and past the guards of that database.
 * Before it is committed it is read again: it must be, byte for byte, what the file holds.
 *
 * @param target where nothing was installed yet
 * @throws StorageRefused when something is there already, or what is there now is not what the file holds
 */
export async function importInstallation(target: WholeTransaction, checked: CheckedExport): Promise<void> {
  if (await target.run(readInstallation, {})) {
    throw new StorageRefused('There is an installation in the database already; import into an empty one.')
  }
  for await (const part of readExport(checked.path)) {
    // Every index that the guards see was taken, then.
    if ('header' in part) await target.run(setNextIdx, { nextIdx: part.header.nextIdx })
    else if ('rows' in part) await insertRows(target, part.table, part.rows)
  }
  const { schemaVersion, createdAtMs } = checked.header
  const header = await describeInstallation(target, { schemaVersion, createdAtMs })
  if ((await digestOf(target, header)) !== checked.sha256) {
    throw new StorageRefused(
      `What came into the database is not what ${checked.path} holds; nothing was kept of it. Was the database empty, and the file left alone?`,
    )
  }
  await target.commit()
}

async function insertRows(target: WholeInstallation, table: MovedTable, rows: readonly MovedRow[]): Promise<void> {
  if (rows.length === 0) return
  await target.insert(table, rows)
  const later = rowsWithLater(table, rows)
  if (later.length > 0) await target.complete(table, later)
  if (table.name === 'installation') await beginLog(target, table, rows)
}

/** Its entries move the head from there. */
async function beginLog(target: WholeInstallation, table: MovedTable, [row]: readonly MovedRow[]): Promise<void> {
  const { epoch, seq, hash } = genesis(String(row && namedRow(table, row).epoch))
  await target.run(insertHead, { id: 1, epoch, seq, hash })
}
