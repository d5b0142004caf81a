import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { embeddedBinaries, NoPostgres } from '../binaries.ts'
import { isAlive } from '../process-tree.ts'

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  test(`a server whose process was ended with ${signal} ends, and its folder is removed`, {
    skip: reason(),
  }, async () => {
    const child = fork(join(import.meta.dirname, 'abandoned-server.ts'))
    const [{ postmasterPid, folder }] = await once(child, 'message')
    assert.ok(isAlive(postmasterPid) && existsSync(folder))
    child.kill(signal)
    while (isAlive(postmasterPid) || existsSync(folder)) await pause(20)
  })
}

function reason(): string | false {
  try {
    embeddedBinaries()
    return false
  } catch (error) {
    if (error instanceof NoPostgres) return error.message
    throw error
  }
}
