import { availableParallelism, cpus } from 'node:os'

/** When and where something was measured, in one line. */
export function setting(nowMs: number): string {
  const date = new Date(nowMs).toISOString().slice(0, 10)
  const model = cpus()[0]?.model.trim() ?? 'unknown processor'
  return `${date}, ${model}, ${availableParallelism()} cores, Node ${process.versions.node}`
}
