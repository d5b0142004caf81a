import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** A file system of its own, for a data folder; gone at the end of the test. */
export interface MountedDisk {
  readonly path: string
  /** Mounts it anew with these options, in place. */
  remount(options: string): void
  /** Takes it away and mounts it again, which is what repairs one that the kernel gave up. */
  replug(): void
}

/** A small disk in memory, or `undefined` when this user may not mount: the test is then skipped. */
export function mountSmallDisk(t: TestContext, size: string): MountedDisk | undefined {
  return mount(t, () => ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs'])
}

/** A disk in a file, which the kernel can be made to give up. As above. */
export function mountImage(t: TestContext, bytes: number): MountedDisk | undefined {
  return mount(t, (parent) => {
    const image = join(parent, 'image')
    writeFileSync(image, '')
    truncateSync(image, bytes)
    execFileSync('mkfs.ext4', ['-q', '-F', image], { stdio: 'pipe' })
    return ['-o', 'loop', image]
  })
}

function mount(t: TestContext, prepare: (parent: string) => readonly string[]): MountedDisk | undefined {
  const parent = mkdtempSync(join(tmpdir(), 'rescind-disk-'))
  const path = join(parent, 'disk')
  mkdirSync(path)
  const run = (program: string, ...args: readonly string[]) => execFileSync(program, args, { stdio: 'pipe' })
  try {
    const source = prepare(parent)
    run('mount', ...source, path)
    t.after(() => {
      run('umount', '--lazy', path)
      rmSync(parent, { recursive: true })
    })
    return {
      path,
      remount: (options) => void run('mount', '-o', `remount,${options}`, path),
      replug: () => {
        run('umount', path)
        run('mount', ...source, path)
      },
    }
  } catch (error) {
    rmSync(parent, { recursive: true })
    t.skip(`a disk cannot be mounted here: ${String(error).split('\n')[0]}`)
    return undefined
  }
}
