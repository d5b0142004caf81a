import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Does `work` with a folder of its own, which is removed afterwards, also when a signal ends this process. */
export async function inTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'rescind-soak-'))
  const end = () => {
    // After the listeners that end every process that was started.
    process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
    process.exit(1)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.once(signal, end)
  try {
    return await work(folder)
  } finally {
    for (const signal of signals) process.off(signal, end)
    await rm(folder, { recursive: true, force: true })
  }
}
