import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const TSC = join(createRequire(import.meta.url).resolve('typescript/package.json'), '../bin/tsc')

const STRICT = [
  ...['--target', 'es2023', '--types', 'node', '--skipLibCheck', 'false', '--strict'],
  ...['--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess'],
]

/** How applications have their imports resolved: by Node itself, or by a bundler. */
export const RESOLUTIONS = ['nodenext', 'bundler'] as const

type Resolution = (typeof RESOLUTIONS)[number]

const MODULES: { readonly [R in Resolution]: string } = { nodenext: 'nodenext', bundler: 'esnext' }

/**
 * Compiles files of a project as strictly as the compiler can, the declarations they import included, to a folder in the
 * project that has the name of the resolution.
 *
 * @returns the codes of the errors by file, such as `TS2339`
 */
export function compile(
  folder: string,
  files: readonly string[],
  resolution: Resolution,
): ReadonlyMap<string, readonly string[]> {
  const resolved = ['--module', MODULES[resolution], '--moduleResolution', resolution, '--outDir', resolution]
  const args = [TSC, ...files, ...resolved, ...STRICT, '--pretty', 'false']
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
  const errors = new Map<string, string[]>()
  for (const [, file = '', code = ''] of stdout.matchAll(/^(?:(\S+)\(\d+,\d+\): )?error (TS\d+):/gm)) {
    errors.set(file, [...(errors.get(file) ?? []), code])
  }
  if ((status === 0) !== (errors.size === 0)) throw new Error(`The compiler ended with ${status}: ${stdout}`)
  return errors
}
