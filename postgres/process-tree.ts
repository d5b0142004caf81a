import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/**
 * Sends a signal to a process and to all it has started, with none of them starting others meanwhile.
 *
 * @param signal SIGKILL, or SIGCONT after SIGSTOP
 */
export function signalTree(pid: number, signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
  if (signal !== 'SIGCONT') send(pid, 'SIGSTOP')
  const children = childrenOf(pid)
  // A child whose parent ends first would begin to end by itself.
  for (const child of children) send(child, signal)
  if (signal !== 'SIGSTOP') send(pid, signal)
}

/** Whether the process can still do anything: one that has ended may wait for whoever is to be told of it. */
export function isAlive(pid: number): boolean {
  return send(pid, 0) && !(process.platform === 'linux' && / \(.*\) Z /s.test(read(`/proc/${pid}/stat`)))
}

/** The processes that it has started and that live. */
export function childrenOf(pid: number): number[] {
  const listed = process.platform === 'linux' ? read(`/proc/${pid}/task/${pid}/children`) : listedByProgram(pid)
  return listed.split(/\s+/).filter(Boolean).map(Number)
}

/** Empty when the process is gone. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function listedByProgram(pid: number): string {
  try {
    return execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
  } catch {
    // It ends so when there are none.
    return ''
  }
}

/** @returns whether there was such a process */
function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
    throw error
  }
}
