#!/usr/bin/env node
// Plain JavaScript that old versions of Node can run: only Node 24 and later load the TypeScript behind it.
import { fileURLToPath } from 'node:url'
import { runOnNode24 } from './node-24.js'

if (Number(process.versions.node.split('.')[0]) < 24) {
  runOnNode24([fileURLToPath(import.meta.url), ...process.argv.slice(2)])
} else {
  import('../cli/main.ts').then(({ main, processContext }) => main(process.argv.slice(2), processContext()))
}
