import { hash, randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exportTo, setUp } from '../../server.ts'
import { openSqlite } from '../../storage/sqlite/open-sqlite.ts'
import { temporaryFolder, testConfig } from '../service/running-service.ts'
import {
  issue,
  joinNode,
  newAuditEvent,
  newBusiness,
  newMember,
  numbers,
  revoke,
  revokeBulk,
  subjectOf,
} from '../storage/fixtures.ts'

/** Whatever runs a function when it ends. */
interface Lifetime {
  after(end: () => Promise<unknown>): void
}

/** A data folder that was set up and holds so many tokens more, of which every third is revoked by itself. */
export async function folderOfTokens(t: Lifetime, count: number): Promise<string> {
  const dataDir = await temporaryFolder(t)
  await setUp(testConfig(dataDir, { databaseUrl: undefined }))
  const storage = await openSqlite({ dataDir, clock: { nowMs: () => Date.now() } })
  const [key] = await storage.read.signingKeys()
  if (key === undefined) throw new Error('There is no signing key.')
  const business = newBusiness()
  const member = newMember(business.id)
  await storage.transact(async (tx) => {
    await tx.upsertBusiness(business)
    await tx.upsertMember(member)
  })
  const world = { key, business, member }
  for (let from = 0; from < count; from += 1000) {
    await storage.transact(async (tx) => {
      for (const at of numbers(Math.min(1000, count - from))) {
        const { idx } = await issue(tx, world, { name: `token ${from + at} 😀`, description: randomUUID() })
        if (at % 3 === 0) await revoke(tx, idx)
      }
      await revokeBulk(tx, subjectOf('member', world))
      await tx.insertAuditEvent(newAuditEvent())
    })
  }
  await joinNode(storage)
  await storage.membership.leave(await joinNode(storage))
  await storage.close()
  return dataDir
}

/** The lines of an export of such a folder, and that folder. */
export async function writtenExport(
  t: Lifetime,
  count: number,
): Promise<{ readonly dataDir: string; readonly file: string; readonly lines: readonly string[] }> {
  const dataDir = await folderOfTokens(t, count)
  const file = join(await temporaryFolder(t), 'export.jsonl')
  await exportTo(testConfig(dataDir, { databaseUrl: undefined }), file)
  return { dataDir, file, lines: (await readFile(file, 'utf8')).split('\n').slice(0, -1) }
}

/** Writes lines as an export, with a last line that goes with them, as somebody would who knows how. */
export async function writeEdited(t: Lifetime, lines: readonly string[]): Promise<string> {
  const before = `${lines.slice(0, -1).join('\n')}\n`
  const counts: Record<string, number> = {}
  let table = ''
  for (const line of lines.slice(1, -1)) {
    if (line.startsWith('{')) {
      table = JSON.parse(line).table
      counts[table] = 0
    } else counts[table] = (counts[table] ?? 0) + 1
  }
  const header = { ...JSON.parse(lines[0] ?? ''), counts }
  const text = before.replace(/^.*\n/, `${JSON.stringify(header)}\n`)
  return writeLines(t, `${text}${JSON.stringify({ end: true, counts, sha256: hash('sha256', text) })}\n`)
}

export async function writeLines(t: Lifetime, text: string | Uint8Array): Promise<string> {
  const file = join(await temporaryFolder(t), 'edited.jsonl')
  await writeFile(file, text)
  return file
}
