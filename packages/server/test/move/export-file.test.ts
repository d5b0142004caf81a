import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { after, before, describe, type TestContext, test } from 'node:test'
import { databaseForTests } from '../../../../postgres/database-for-tests.ts'
import { importFrom } from '../../server.ts'
import { StartRefused } from '../../start-refused.ts'
import { createRandom } from '../durability/random.ts'
import { emptyTarget } from './target.ts'
import { writeEdited, writeLines, writtenExport } from './written-export.ts'

const { url } = await databaseForTests()

/** What each edit changes, and the sentence that refuses it although the last line was made to go with it. */
const EDITS: Readonly<Record<string, readonly [edit: (lines: string[]) => string[], sentence: RegExp]>> = {
  'a token that is not revoked any more': [
    (lines) =>
      replaceRow(
        lines,
        'tokens',
        (row) => row[13] !== null,
        (row) => [...row.slice(0, 13), null, null, null, null],
      ),
    /its log revokes tokens that are not revoked in its tables/,
  ],
  'a token that is missing': [
    (lines) => withoutRow(lines, 'tokens', (row) => row[13] !== null),
    /its log revokes tokens that are not revoked in its tables/,
  ],
  'a token that is revoked by the entry of another': [
    (lines) =>
      replaceRow(
        lines,
        'tokens',
        (row) => row[13] === null,
        (row) => [...row.slice(0, 13), 2, 1, null, null],
      ),
    /The database refuses what the file holds: .*(already revoked|entry that names it)/,
  ],
  'a token beyond the counter': [
    (lines) =>
      replaceRow(
        lines,
        'tokens',
        (row) => row[13] === null,
        (row) => [2 ** 40, ...row.slice(1)],
      ),
    /The database refuses what the file holds: the idx of a token must be taken/,
  ],
  'a token twice': [
    (lines) => lines.flatMap((line) => (line.startsWith('[0,') ? [line, line] : [line])),
    /The database refuses what the file holds: idx, id and jti of a token are used once/,
  ],
  'a bulk revocation that is missing': [
    (lines) => withoutRow(lines, 'bulk_revocations', () => true),
    /its log revokes tokens that are not revoked in its tables/,
  ],
  'a bulk revocation that ends less': [
    (lines) =>
      replaceRow(
        lines,
        'bulk_revocations',
        () => true,
        (row) => row.map((value, at) => (at === 5 ? 0 : value)),
      ),
    /The database refuses what the file holds: a bulk revocation must say what its entry says/,
  ],
  'an entry that is missing': [
    (lines) => withoutRow(lines, 'revocation_log', (row) => row[0] === 2),
    /entry 3 of its log does not continue the one before it/,
  ],
  'an entry that says something else': [
    (lines) => lines.map((line) => line.replace(/"\[\\"token_revoked\\",(\d+)\]"/, '"[\\"token_revoked\\",9$1]"')),
    /entry \d+ of its log does not continue the one before it/,
  ],
  'entries of a kind that is not known': [
    (lines) => lines.map((line) => line.replaceAll('token_revoked', 'token_mended')),
    /entry \d+ of its log cannot be read/,
  ],
  'another epoch': [
    (lines) =>
      replaceRow(
        lines,
        'installation',
        () => true,
        (row) => row.map((value, at) => (at === 2 ? 'x' : value)),
      ),
    /entry 1 of its log does not continue the one before it/,
  ],
  'another head': [
    (lines) => lines.map((line) => line.replace(/"head":\{"seq":\d+/, '"head":{"seq":1')),
    /its log does not end at its head/,
  ],
  'a counter that is set back': [
    (lines) => lines.map((line) => line.replace(/"next_idx":\d+/, '"next_idx":1')),
    /The database refuses what the file holds/,
  ],
  'a column that is missing': [
    (lines) => lines.map((line) => line.replace(',"issued_by"', '')),
    /is damaged: line \d+ is not what it should be/,
  ],
  'a number written in another way': [
    (lines) => lines.map((line) => line.replace(/^\[0,/, '[0.0,')),
    /What came into the database is not what \S+ holds/,
  ],
  'a newer format': [
    (lines) => lines.map((line) => line.replace('"rescind_export":1', '"rescind_export":2')),
    /is an export of format 2 and this program knows 1; use the program that wrote it/,
  ],
}

for (const databaseUrl of url === undefined ? [undefined] : [undefined, url]) {
  describe(`${databaseUrl === undefined ? 'a data folder' : 'PostgreSQL'} keeps nothing of an import`, () => {
    const ends: (() => Promise<unknown>)[] = []
    let written: Awaited<ReturnType<typeof writtenExport>>
    before(async () => {
      written = await writtenExport({ after: (end) => ends.push(end) }, 30)
    })
    after(async () => {
      for (const end of ends) await end()
    })

    async function refused(t: TestContext, file: string, sentence: RegExp, changes: object = {}): Promise<void> {
      const target = await emptyTarget(t, written.dataDir, databaseUrl)
      target.dropAtEnd()
      await assert.rejects(importFrom({ ...target.config, ...changes }, file), (error) => {
        assert.ok(error instanceof StartRefused, String(error))
        assert.match(error.message, sentence)
        return true
      })
      assert.ok(await target.isEmpty())
      // What was refused is in nobody's way.
      await importFrom(target.config, written.file)
    }

    for (const [what, [edit, sentence]] of Object.entries(EDITS)) {
      test(`with ${what}`, async (t) => {
        const edited = edit([...written.lines])
        assert.notDeepEqual(edited, written.lines)
        await refused(t, await writeEdited(t, edited), sentence)
      })
    }

    // The file alone tells: nobody looks at the database before.
    if (databaseUrl !== undefined) return

    test('that was cut off, at any byte', async (t) => {
      const bytes = readFileSync(written.file)
      const random = createRandom(7)
      const lengths = [
        0,
        1,
        bytes.length - 1,
        bytes.lastIndexOf('\n', -2) + 1,
        ...Array.from({ length: 8 }, () => random.below(bytes.length)),
      ]
      for (const length of lengths) {
        const file = await writeLines(t, bytes.subarray(0, length))
        await refused(t, file, /is no export of Rescind|ends too early/)
      }
    })

    test('of which any byte is another one', async (t) => {
      const random = createRandom(8)
      for (let times = 0; times < 12; times++) {
        const bytes = Buffer.from(readFileSync(written.file))
        const at = random.below(bytes.length)
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(7))
        await refused(
          t,
          await writeLines(t, bytes),
          /damaged|no export of Rescind|ends too early|cannot be used|goes? not|format/,
        )
      }
    })

    test('that is none', async (t) => {
      for (const text of ['', '\n', 'x', '{}\n{}\n', '[1]\n'.repeat(100), randomBytes(1000)]) {
        await refused(t, await writeLines(t, text), /is no export of Rescind/)
      }
      await refused(t, `${written.file}.not-there`, /cannot be read: it does not exist/)
      await refused(t, written.dataDir, /cannot be read: it is a folder/)
    })

    test('whose signing keys another master key seals', async (t) => {
      await refused(t, written.file, /The master key does not open the signing keys of this export/, {
        masterKey: randomBytes(32),
      })
    })
  })
}

type Row = readonly unknown[]

/** Changes the first row of a table that is meant. */
function replaceRow(
  lines: string[],
  table: string,
  isMeant: (row: Row) => boolean,
  change: (row: Row) => Row,
): string[] {
  const at = findRow(lines, table, isMeant)
  return lines.with(at, JSON.stringify(change(JSON.parse(lines[at] ?? ''))))
}

function withoutRow(lines: string[], table: string, isMeant: (row: Row) => boolean): string[] {
  return lines.toSpliced(findRow(lines, table, isMeant), 1)
}

function findRow(lines: string[], table: string, isMeant: (row: Row) => boolean): number {
  const start = lines.findIndex((line) => line.startsWith(`{"table":"${table}"`))
  const at = lines.findIndex((line, index) => index > start && line.startsWith('[') && isMeant(JSON.parse(line)))
  assert.ok(start > 0 && at > start)
  return at
}
