import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'

const ROOT = resolve(import.meta.dirname, '../../..')

const KINDS = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'] as const

type Manifest = { readonly [Kind in (typeof KINDS)[number]]?: Readonly<Record<string, string>> } & {
  readonly allowScripts?: Readonly<Record<string, true>>
}

interface Lockfile {
  readonly packages: Readonly<Record<string, { readonly hasInstallScript?: boolean }>>
}

test('every dependency has a reason in CONTRIBUTING.md, and every reason a dependency', () => {
  const folders = ['.', ...readdirSync(join(ROOT, 'packages')).map((name) => `packages/${name}`)]
  const used = new Set(folders.flatMap((folder) => externalDependencies(`${folder}/package.json`)))
  const section = read('CONTRIBUTING.md')
    .split(/^## /m)
    .find((text) => text.startsWith('Dependencies'))
  const rows = (section ?? '').matchAll(/^\| `([^`]+)` +\| +(\S.*?) +\|$/gm)
  const explained = [...rows].map(([, name]) => name)
  assert.ok(used.size > 0)
  assert.deepEqual(explained.toSorted(), [...used].toSorted())
})

test('no dependency, direct or not, runs a script when it is installed, unless it is named as one that may', () => {
  const { packages }: Lockfile = JSON.parse(read('package-lock.json'))
  const { allowScripts }: Manifest = JSON.parse(read('package.json'))
  const allowed = Object.keys(allowScripts ?? {}).map((name) => `node_modules/${name}`)
  const entries = Object.entries(packages)
  assert.ok(entries.length > 10)
  assert.deepEqual(
    entries.filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([path]) => path),
    allowed,
  )
})

function externalDependencies(path: string): string[] {
  const manifest: Manifest = JSON.parse(read(path))
  return KINDS.flatMap((kind) => Object.keys(manifest[kind] ?? {})).filter((name) => !name.startsWith('@rescind/'))
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}
