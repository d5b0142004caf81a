import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { chmod, mkdtemp, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { noBinaries } from '../binaries.ts'
import { isAlive } from '../process-tree.ts'

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  test(`a server whose process was ended with ${signal} ends, and its folder is removed`, {
    skip: noBinaries(),
  }, async () => {
    const child = fork(join(import.meta.dirname, 'abandoned-server.ts'))
    const [{ postmasterPid, folder }] = await once(child, 'message')
    assert.ok(isAlive(postmasterPid) && existsSync(folder))
    child.kill(signal)
    while (isAlive(postmasterPid) || existsSync(folder)) await pause(20)
  })
}

for (const [what, servers] of [
  ['a server that is being set up', 1],
  ['a standby whose data is being copied', 2],
] as const) {
  test(`the folder of ${what} is removed when its process is killed`, { skip: noBinaries() }, async () => {
    const parent = await mkdtemp(join(tmpdir(), 'rescind-guardian-'))
    await chmod(parent, 0o755)
    const child = fork(join(import.meta.dirname, 'abandoned-standby.ts'), { env: { ...process.env, TMPDIR: parent } })
    const begun = () => readdirSync(parent).filter((name) => existsSync(join(parent, name, 'data', 'PG_VERSION')))
    while (begun().length < servers) await pause(1)
    child.kill('SIGKILL')
    while (readdirSync(parent).length > 0) await pause(20)
    await rmdir(parent)
  })
}
