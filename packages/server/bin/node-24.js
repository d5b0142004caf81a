#!/usr/bin/env node
// Plain JavaScript that old versions of Node can run. Runs its arguments on Node 24: on this Node if it is new enough,
// else on the one that `npm ci` brought along. Versions of npm before 11 do not put that one on the path of scripts.
import { spawn } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const isNewEnough = Number(process.versions.node.split('.')[0]) >= 24

/** The Node to use, or undefined when there is none. */
function findNode() {
  if (isNewEnough) return process.execPath
  const program = process.platform === 'win32' ? 'bin/node.exe' : 'bin/node'
  try {
    return createRequire(import.meta.url).resolve(
      `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}/${program}`,
    )
  } catch {
    return undefined
  }
}

/** Runs Node 24 with these arguments in place of this process: same streams, same signals, same end. */
export function runOnNode24(args) {
  const node = findNode()
  if (node === undefined) {
    process.stderr.write(
      `Rescind needs Node.js 24 or later and this is ${process.versions.node}; on Linux, \`npm ci\` in a clone brings one along.\n`,
    )
    process.exitCode = 2
    return
  }
  const child = spawn(node, args, { stdio: 'inherit' })
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) runOnNode24(process.argv.slice(2))
