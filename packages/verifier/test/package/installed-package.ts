import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { cleanEnv } from '../../../server/test/service/service-process.ts'
import { buildPackage } from '../../build/build-package.ts'

const NODE_MODULES = resolve(import.meta.dirname, '../../../../node_modules')

const FRAMEWORKS = ['express', '@types/express', 'fastify', 'hono', '@hono/node-server']

/** A project in which the packed package is installed as it would be from a registry. */
export interface InstalledPackage {
  /** Of the project. */
  readonly folder: string
  /** Paths in the tarball. */
  readonly files: readonly string[]
  readonly unpackedBytes: number
  readonly manifest: Manifest
  /** The programs in its README by the names they are given there. */
  readonly samples: ReadonlyMap<string, string>
  /** Gives the project every framework that there is middleware for. It has none before. */
  addFrameworks(): void
}

/**
 * Builds the package, packs it, and installs the tarball in a new project in `folder`, without a network: what has to be
 * installed with it is packed from what the repository has.
 */
export function installPackage(folder: string): InstalledPackage {
  const built = join(folder, 'built')
  const project = join(folder, 'project')
  buildPackage(built)
  const manifest: Manifest = JSON.parse(readFileSync(join(built, 'package.json'), 'utf8'))
  const dependencies = Object.keys(manifest.dependencies).map((name) => join(NODE_MODULES, name))
  const tarballs: readonly [Tarball, ...Tarball[]] = JSON.parse(npm(folder, 'pack', '--json', built, ...dependencies))
  const [{ files, unpackedSize }] = tarballs
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }\n')
  npm(project, 'install', ...tarballs.map(({ filename }) => join(folder, filename)))
  link(project, '@types/node')
  const installed = join(project, 'node_modules/@rescind/verifier')
  return {
    folder: project,
    files: files.map(({ path }) => path),
    unpackedBytes: unpackedSize,
    manifest,
    samples: namedBlocks(readFileSync(join(installed, 'README.md'), 'utf8')),
    addFrameworks: () => {
      for (const name of FRAMEWORKS) link(project, name)
    },
  }
}

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
  readonly [field: string]: unknown
}

interface Tarball {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
  readonly unpackedSize: number
}

function npm(folder: string, ...args: readonly string[]): string {
  const alone = ['--offline', '--cache', join(folder, 'npm-cache'), '--no-audit', '--no-fund', '--no-update-notifier']
  return execFileSync('npm', [...args, ...alone], {
    cwd: folder,
    env: cleanEnv(),
    encoding: 'utf8',
    // What it warns of is part of the error when it fails, and of no interest otherwise.
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** To what the repository has, so that nothing is fetched. */
function link(project: string, name: string): void {
  const path = join(project, 'node_modules', name)
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(join(NODE_MODULES, name), path)
}

/** Fenced blocks with a file name after their language. */
function namedBlocks(page: string): ReadonlyMap<string, string> {
  const blocks = page.matchAll(/^```(?:js|ts) (\S+)\n(.*?)^```$/gms)
  return new Map([...blocks].map(([, name = '', code = '']) => [name, code]))
}
