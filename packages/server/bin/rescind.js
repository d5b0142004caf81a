#!/usr/bin/env node
// Plain JavaScript that old versions of Node can run: only Node 24 and later load the TypeScript behind it.
import { fileURLToPath } from 'node:url'
import { runOnNode24 } from './node-24.js'

if (Number(process.versions.node.split('.')[0]) < 24) {
  runOnNode24([fileURLToPath(import.meta.url), ...process.argv.slice(2)])
} else {
  const { main, processContext } = await import('../cli/main.ts')
  // Awaited here, a command that has nothing left to wait for and is not done ends with a failure (Node's 13).
  await main(process.argv.slice(2), processContext())
}
