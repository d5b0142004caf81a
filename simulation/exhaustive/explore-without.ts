import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Explored } from './explore.ts'

/**
 * What is found in an instance without a rule, in a process of its own.
 *
 * @throws Error when that process fails, with what it said
 */
export function exploreWithout(rule: string, instance: string): Explored {
  const script = fileURLToPath(new URL('without.ts', import.meta.url))
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, rule, instance], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`The run without ${rule} failed:\n${stderr}`)
  return JSON.parse(stdout)
}
