/** Prints a verdict for every line it reads, and is done when there are no more. */
const PRINT_VERDICTS = `
  const verifier = await createVerifier({ url: process.env.RESCIND_URL, token: process.env.RESCIND_FEED_TOKEN })
  for await (const line of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await verifier.verify(line)))
  }
  await verifier.close()
`

/** Plain JavaScript that follows a service, by file name: each gets hold of the package in another way. */
export const VERDICT_PROGRAMS: ReadonlyMap<string, string> = new Map([
  [
    'module.mjs',
    `import { createInterface } from 'node:readline'
import { createVerifier } from '@rescind/verifier'
${PRINT_VERDICTS}`,
  ],
  [
    'import.cjs',
    `const { createInterface } = require('node:readline')
async function main() {
  const { createVerifier } = await import('@rescind/verifier')
${PRINT_VERDICTS}}
main()
`,
  ],
  [
    'require.cjs',
    `const { createInterface } = require('node:readline')
const { createVerifier } = require('@rescind/verifier')
async function main() {
${PRINT_VERDICTS}}
main()
`,
  ],
])
