import { fork } from 'node:child_process'
import { join } from 'node:path'
import type { Total } from './run-seeds.ts'

const PROGRAM = join(import.meta.dirname, 'seeds-process.ts')

/**
 * Runs `count` seeds from `first` in a process of its own.
 *
 * @param bug taken out of the production code there, by name
 */
export function forkSeeds(first: number, count: number, bug?: string): Promise<Total> {
  return new Promise((resolve, reject) => {
    const child = fork(PROGRAM, [String(first), String(count), ...(bug === undefined ? [] : [bug])])
    let total: Total | undefined
    child.on('message', (message) => {
      total = message as Total
    })
    child.on('error', reject)
    child.on('exit', (code) => {
      if (total === undefined) reject(new Error(`Seeds ${first} to ${first + count - 1} ended with ${code}`))
      else resolve(total)
    })
  })
}
