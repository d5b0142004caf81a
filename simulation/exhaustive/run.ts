import { parseArgs } from 'node:util'
import { explore } from './explore.ts'
import { exploreWithout } from './explore-without.ts'
import { INSTANCES, LARGE_INSTANCES, SMALL_INSTANCES } from './instances.ts'
import { INVARIANT_NAMES } from './invariants.ts'
import { RULES } from './rules.ts'
import { start } from './start.ts'

// Explores every instance, then one for each rule with that rule removed. Exits with 1 unless the first find nothing
// wrong and the others all do. `--small` takes seconds, `--large` minutes.
const { values } = parseArgs({ options: { small: { type: 'boolean' }, large: { type: 'boolean' } } })
const instances = values.small ? SMALL_INSTANCES : { ...INSTANCES, ...(values.large && LARGE_INSTANCES) }

print(['two holders, one node, one revocation and', 'states', 'transitions', 'depth', 'seconds', 'violations'])
for (const [name, left] of Object.entries(instances)) {
  const sinceMs = performance.now()
  const { states, transitions, depth, violation, unseen } = explore(start(left), INVARIANT_NAMES)
  print([name, count(states), count(transitions), depth, secondsSince(sinceMs), violation?.invariant ?? 0])
  if (violation !== null) fail(violation.trace)
  else if (unseen.length > 0) fail(unseen.map((what) => `never seen: ${what}`))
}

process.stdout.write('\n')
const traces: string[] = []
print(['without a rule', 'states', 'seconds', 'breaks', 'steps'])
for (const { name, without, instance, small, breaks } of RULES) {
  const sinceMs = performance.now()
  const { states, violation } = exploreWithout(name, values.small ? small : instance)
  print([name, count(states), secondsSince(sinceMs), violation?.invariant ?? 'NOTHING', violation?.trace.length ?? ''])
  if (violation === null) fail([`expected: ${breaks}`])
  else
    traces.push(`\n${name}: ${without}, and ${violation.invariant} does not hold\n  ${violation.trace.join('\n  ')}\n`)
}
process.stdout.write(traces.join(''))

function print([first, ...others]: readonly (string | number)[]): void {
  process.stdout.write(`${String(first).padEnd(44)}${others.map((each) => String(each).padStart(12)).join('')}\n`)
}

function count(n: number): string {
  return n.toLocaleString('en-US')
}

function secondsSince(sinceMs: number): string {
  return ((performance.now() - sinceMs) / 1000).toFixed(1)
}

function fail(lines: readonly string[]): void {
  process.exitCode = 1
  process.stdout.write(`${lines.map((line) => `  ${line}`).join('\n')}\n`)
}
