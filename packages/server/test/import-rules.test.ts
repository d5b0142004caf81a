import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { after, before, test } from 'node:test'

const ROOT = resolve(import.meta.dirname, '../../..')

/** An import that breaks a rule, by the file it is planted in. */
const VIOLATIONS: readonly (readonly [file: string, imported: string])[] = [
  ['packages/protocol/planted.ts', 'node:fs'],
  ['packages/protocol/planted.ts', 'typebox'],
  ['packages/protocol/planted.ts', '@rescind/verifier'],
  ['packages/protocol/planted.ts', '../server/config.ts'],
  ['packages/verifier/planted.ts', '../server/storage/storage.ts'],
  ['packages/verifier/planted.ts', '../protocol/claims.ts'],
  ['packages/verifier/planted.ts', '@rescind/server'],
  ['packages/verifier/planted.ts', 'node:sqlite'],
  ['packages/verifier/planted.ts', 'fastify'],
  ['packages/verifier/planted.ts', 'hono'],
  ['packages/verifier/core/planted.ts', '../index.ts'],
  ['packages/verifier/core/planted.ts', '../middleware/guard.ts'],
  ['packages/verifier/core/planted.ts', 'express'],
  ['packages/verifier/middleware/planted.ts', '@rescind/server'],
  ['packages/verifier/middleware/planted.ts', '../core/follower.ts'],
  ['packages/verifier/middleware/planted.ts', '../../protocol/errors.ts'],
  ['packages/verifier/middleware/planted.ts', 'ws'],
  ['packages/verifier/middleware/planted.ts', 'node:sqlite'],
  ['packages/server/tokens/planted.ts', '../storage/sqlite/sqlite-storage.ts'],
  ['packages/server/tokens/planted.ts', '../storage/sql/schema.ts'],
  ['packages/server/tokens/planted.ts', '../storage/whole-installation.ts'],
  ['packages/server/tokens/planted.ts', '../revocations/revoke-token.ts'],
  ['packages/server/tokens/planted.ts', './../access/authorize.ts'],
  ['packages/server/tokens/planted.ts', '../http/route.ts'],
  ['packages/server/tokens/planted.ts', '../config.ts'],
  ['packages/server/tokens/planted.ts', 'kysely'],
  ['packages/server/tokens/planted.ts', 'node:sqlite'],
  ['packages/server/tokens/planted.ts', 'pg'],
  ['packages/server/tokens/planted.ts', '@rescind/verifier'],
  ['packages/server/revocations/planted.ts', '../tokens/issue-token.ts'],
  ['packages/server/revocations/planted.ts', '../access/authorize.ts'],
  ['packages/server/access/planted.ts', '../tokens/issue-token.ts'],
  ['packages/server/revocations/planted.ts', '../storage/postgres/postgres-storage.ts'],
  ['packages/server/revocations/planted.ts', 'pg'],
  ['packages/server/access/planted.ts', '../storage/sql/standing.ts'],
  ['packages/server/access/planted.ts', '../storage/move/read-export.ts'],
  ['packages/server/access/planted.ts', 'typebox'],
  ['packages/server/revocations/planted.ts', 'ws'],
  ['packages/server/storage/planted.ts', '../tokens/issue-token.ts'],
  ['packages/server/storage/planted.ts', '@rescind/verifier'],
  ['packages/server/storage/planted.ts', '../server.ts'],
  ['packages/server/storage/planted.ts', 'pg'],
  ['packages/server/storage/sql/planted.ts', '../sqlite/sqlite-storage.ts'],
  ['packages/server/storage/sql/planted.ts', '../../config.ts'],
  ['packages/server/storage/postgres/planted.ts', '../sqlite/sqlite-storage.ts'],
  ['packages/server/storage/postgres/planted.ts', '../move/read-export.ts'],
  ['packages/server/storage/postgres/planted.ts', '../../config.ts'],
  ['packages/server/storage/postgres/planted.ts', 'fastify'],
  ['packages/server/storage/postgres/migrations/planted.ts', '../../../config.ts'],
  ['packages/server/storage/postgres/migrations/planted.ts', 'pg'],
  ['packages/server/storage/move/planted.ts', '../sqlite/fence.ts'],
  ['packages/server/storage/move/planted.ts', '../postgres/whole-schema.ts'],
  ['packages/server/storage/move/planted.ts', '../../move-installation.ts'],
  ['packages/server/storage/sqlite/planted.ts', '../postgres/connections.ts'],
  ['packages/server/storage/sqlite/planted.ts', '../../access/authorize.ts'],
  ['packages/server/storage/sqlite/planted.ts', '../../config.ts'],
  ['packages/server/storage/sqlite/migrations/planted.ts', '../../../config.ts'],
  ['packages/server/http/planted.ts', '../storage/storage.ts'],
  ['packages/server/http/planted.ts', '../cli/main.ts'],
  ['packages/server/http/planted.ts', '../server.ts'],
  ['packages/server/http/planted.ts', '../storage/sql/schema.ts'],
  ['packages/server/http/planted.ts', 'kysely'],
  ['packages/server/http/planted.ts', 'pg'],
  ['packages/server/http/planted.ts', 'node:sqlite'],
  ['packages/server/http/routes/planted.ts', '../../storage/storage.ts'],
  ['packages/server/http/routes/planted.ts', '../../cli/main.ts'],
  ['packages/server/cli/planted.ts', '../http/route.ts'],
  ['packages/server/cli/planted.ts', '../storage/storage.ts'],
  ['packages/server/cli/planted.ts', '../tokens/issue-token.ts'],
  ['packages/server/cli/planted.ts', '../move-installation.ts'],
  ['packages/server/cli/planted.ts', 'pg'],
  ['packages/server/cli/planted.ts', 'node:sqlite'],
  ['packages/server/cli/planted.ts', 'fastify'],
  ['packages/server/bin/planted.js', '../server.ts'],
  ['packages/server/planted.ts', './http/route.ts'],
  ['packages/server/planted.ts', './storage/sqlite/sqlite-storage.ts'],
  ['packages/server/planted.ts', './storage/postgres/open-postgres.ts'],
  ['packages/server/planted.ts', './storage/sql/schema.ts'],
  ['packages/server/planted.ts', './storage/move/read-export.ts'],
  ['packages/server/planted.ts', './server.ts'],
  ['packages/server/planted.ts', './cli/main.ts'],
  ['packages/server/planted.ts', 'kysely'],
  ['packages/server/planted.ts', 'pg'],
  ['packages/server/server.ts', 'node:sqlite'],
  ['packages/server/server.ts', 'pg'],
  ['packages/server/open-installation.ts', 'pg'],
  ['packages/server/recovery.ts', 'node:sqlite'],
  ['packages/server/move-installation.ts', './cli/main.ts'],
  ['packages/server/server.ts', 'kysely'],
  ['packages/server/server.ts', './cli/main.ts'],
  ['packages/server/server.ts', '../../bench/run.ts'],
  ['packages/server/server.ts', '../../postgres/start-postgres.ts'],
  ['packages/server/storage/postgres/planted.ts', '../../../../postgres/start-postgres.ts'],
  ['packages/verifier/planted.ts', '../../postgres/database-for-tests.ts'],
  ['packages/server/http/planted.ts', '../../../simulation/simulate.ts'],
  ['packages/server/http/planted.ts', '../../../soak/run.ts'],
  ['packages/verifier/planted.ts', '../../demo/demo.ts'],
  ['packages/verifier/test/planted.test.ts', '../../../bench/run.ts'],
]

let tree: string

before(async () => {
  tree = await mkdtemp(join(tmpdir(), 'rescind-import-rules-'))
  await cp(join(ROOT, 'biome.json'), join(tree, 'biome.json'))
  await cp(join(ROOT, 'packages'), join(tree, 'packages'), {
    recursive: true,
    filter: (path) => basename(path) !== 'node_modules',
  })
})

after(() => rm(tree, { recursive: true, force: true }))

test('the tree keeps every import rule, and was read', () => {
  const { complaints, filesRead } = lintImports()
  assert.deepEqual(complaints, [])
  assert.ok(filesRead > 50, `only ${filesRead} files were read`)
})

test('every file of this tree that a rule is tried with is there', () => {
  for (const [file, imported] of VIOLATIONS) {
    if (!imported.startsWith('.')) continue
    const path = join(ROOT, dirname(file), imported)
    assert.ok(existsSync(path), `${imported}, planted in ${file}, is not there`)
  }
})

test('a cycle of imports is found', async () => {
  await writeFile(
    join(tree, 'packages/protocol/egg.ts'),
    "import { hen } from './hen.ts'\nexport const egg = () => hen\n",
  )
  await writeFile(
    join(tree, 'packages/protocol/hen.ts'),
    "import { egg } from './egg.ts'\nexport const hen = () => egg\n",
  )
  const cyclic = lintImports().complaints.filter(({ rule }) => rule === 'lint/suspicious/noImportCycles')
  assert.deepEqual(cyclic.map(({ file }) => file).sort(), ['packages/protocol/egg.ts', 'packages/protocol/hen.ts'])
})

test('every import that a rule forbids is found, however it is written', async () => {
  const kept = await plantAll()
  const { complaints } = lintImports()
  const found = new Set(complaints.map(({ rule, file, line }) => `${rule} ${file}:${line}`))
  for (const { file, imported, lines } of kept) {
    for (const line of lines) {
      assert.ok(found.has(`lint/style/noRestrictedImports ${file}:${line}`), `${file}:${line} may import ${imported}`)
    }
  }
})

interface Planted {
  readonly file: string
  readonly imported: string
  readonly lines: readonly number[]
}

/** Writes each forbidden import four ways, one a line. */
async function plantAll(): Promise<Planted[]> {
  const planted: Planted[] = []
  const text = new Map<string, string[]>()
  for (const [file, imported] of VIOLATIONS) {
    const lines = text.get(file) ?? []
    text.set(file, lines)
    const first = lines.length + 1
    lines.push(
      `import '${imported}'`,
      `import * as name${first} from '${imported}'`,
      `export * as other${first} from '${imported}'`,
      `export const late${first} = () => [name${first}, import('${imported}')]`,
    )
    planted.push({ file, imported, lines: [first, first + 1, first + 2, first + 3] })
  }
  for (const [file, lines] of text) {
    await mkdir(dirname(join(tree, file)), { recursive: true })
    await writeFile(join(tree, file), `${lines.join('\n')}\n`)
  }
  return planted
}

interface Report {
  readonly summary: { readonly changed: number; readonly unchanged: number }
  readonly diagnostics: readonly {
    readonly category: string
    readonly location: { readonly path: string; readonly start: { readonly line: number } }
  }[]
}

function lintImports() {
  const { stdout } = spawnSync(
    join(ROOT, 'node_modules/.bin/biome'),
    [
      'lint',
      '--only=style/noRestrictedImports',
      '--only=suspicious/noImportCycles',
      '--reporter=json',
      '--max-diagnostics=none',
      '.',
    ],
    { cwd: tree, encoding: 'utf8' },
  )
  const { summary, diagnostics }: Report = JSON.parse(stdout)
  return {
    filesRead: summary.changed + summary.unchanged,
    complaints: diagnostics.map(({ category, location }) => ({
      rule: category,
      file: location.path,
      line: location.start.line,
    })),
  }
}
