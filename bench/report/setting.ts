import { availableParallelism, cpus, loadavg } from 'node:os'

/** When and where something is about to be measured, and how busy the machine is before that, in one line. */
export function setting(nowMs: number): string {
  const date = new Date(nowMs).toISOString().slice(0, 10)
  const model = cpus()[0]?.model.trim() ?? 'unknown processor'
  const cores = availableParallelism()
  return `${date}, ${model}, ${cores} cores, Node ${process.versions.node}, load before ${loadavg()[0]?.toFixed(1)}`
}
