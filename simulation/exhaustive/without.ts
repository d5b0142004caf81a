import { usePatches } from '../patched-source.ts'
import { RULES } from './rules.ts'

// Explores an instance in which a rule does not hold, both named in the arguments, and prints what it found as JSON.
// Everything that is patched is loaded after the patches.
const [ruleName, instance = ''] = process.argv.slice(2)
const rule = RULES.find(({ name }) => name === ruleName)
if (rule === undefined)
  throw new Error(`There is no rule of this name, but ${RULES.map(({ name }) => name).join(', ')}`)
const assertLoaded = usePatches(rule.patches)
const { explore } = await import('./explore.ts')
const { ALL_INSTANCES } = await import('./instances.ts')
const { isInvariant } = await import('./invariants.ts')
const { start } = await import('./start.ts')
assertLoaded()
const left = ALL_INSTANCES[instance]
if (left === undefined) throw new Error(`There is no instance '${instance}'`)
if (!isInvariant(rule.breaks)) throw new Error(`There is no invariant ${rule.breaks}`)
process.stdout.write(JSON.stringify(explore(start(left), [rule.breaks])))
