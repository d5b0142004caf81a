/** A part of many runs, in a process of its own: `node seeds-process.ts <first> <count> [bug]`. Sends its total to its parent. */

import { BUGS } from './bugs/bugs.ts'
import { usePatches } from './patched-source.ts'

const [first = '1', count = '1', bugName] = process.argv.slice(2)
const bug = BUGS.find(({ name }) => name === bugName)
const checkLoaded = bug === undefined ? () => {} : usePatches(bug.patches)

// Only now: the patches are for everything that this loads.
const { add, NOTHING, runSeed, totalOf } = await import('./run-seeds.ts')

let total = NOTHING
for (let seed = Number(first); seed < Number(first) + Number(count); seed++) {
  total = add(total, totalOf(await runSeed(seed)))
  checkLoaded()
  // Once is enough, by the invariant that the rule is there for.
  if (bug !== undefined && total.failures.at(-1)?.invariant === bug.breaks) break
}
process.send?.(total)
process.disconnect?.()
