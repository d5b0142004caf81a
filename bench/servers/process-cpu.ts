import { readFileSync } from 'node:fs'

/** The unit of /proc: USER_HZ, which Linux fixes at 100 a second for what it tells processes. */
const TICK_MS = 10

/**
 * Processor time of all threads of a process, in milliseconds, in steps of 10; `undefined` where there is no /proc.
 *
 * @param withEnded whether the time of its children that have ended counts too
 */
export function processCpuMs(pid: number, withEnded = false): number | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined
  }
  // Fields 14 to 17, counted behind the name, which may hold spaces.
  const ticks = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, withEnded ? 15 : 13)
    .map(Number)
  return ticks.reduce((sum, each) => sum + each, 0) * TICK_MS
}
