import { readFileSync } from 'node:fs'

/** The unit of /proc: USER_HZ, which Linux fixes at 100 a second for what it tells processes. */
const TICK_MS = 10

/** Processor time of all threads of a process, in milliseconds, in steps of 10; `undefined` where there is no /proc. */
export function processCpuMs(pid: number): number | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined
  }
  // Fields 14 and 15, counted behind the name, which may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}
