#!/usr/bin/env node
// Plain JavaScript that old versions of Node can parse: only Node 24 and later load the TypeScript behind it.
if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(
    `Rescind needs Node.js 24 or later and this is ${process.versions.node}; in a clone, run \`npm ci\` and then \`npm start\` or \`npx rescind\`, which bring their own.\n`,
  )
  process.exitCode = 2
} else {
  import('../cli/main.ts').then(({ main, processContext }) => main(process.argv.slice(2), processContext()))
}
