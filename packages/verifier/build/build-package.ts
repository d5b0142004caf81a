import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { publishedManifest } from './published-manifest.ts'
import { relativeSpecifiers, resolvableSpecifiers } from './resolvable-specifiers.ts'

const VERIFIER = resolve(import.meta.dirname, '..')
const TSC = join(createRequire(import.meta.url).resolve('typescript/package.json'), '../bin/tsc')

/**
 * Writes the package `@rescind/verifier` as it is published: ES modules and declarations of the verifier and of the
 * protocol, which is not a package of its own there. `npm pack` in the folder makes the tarball.
 *
 * @param folder made if it is not there; what an earlier build left in it is replaced
 * @throws when the compiler finds an error, which it prints, or leaves out a module that another one imports
 */
export function buildPackage(folder: string): void {
  for (const name of ['verifier', 'protocol']) rmSync(join(folder, name), { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  compile(folder)
  const files = globSync('{verifier,protocol}/**/*.{js,d.ts}', { cwd: folder })
  for (const file of files) {
    const path = join(folder, file)
    const text = resolvableSpecifiers(file, readFileSync(path, 'utf8'))
    const missing = relativeSpecifiers(text).filter((specifier) => !existsSync(join(path, '..', specifier)))
    if (missing.length > 0) throw new Error(`${file} imports what was not compiled: ${missing.join(', ')}`)
    writeFileSync(path, text)
  }
  const manifest = publishedManifest(JSON.parse(readFileSync(join(VERIFIER, 'package.json'), 'utf8')))
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  copyFileSync(join(VERIFIER, 'README.md'), join(folder, 'README.md'))
}

function compile(folder: string): void {
  const project = join(VERIFIER, 'tsconfig.build.json')
  execFileSync(process.execPath, [TSC, '--project', project, '--outDir', folder], { stdio: 'inherit' })
}
