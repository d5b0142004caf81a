import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { processCpuMs } from './process-cpu.ts'

const START_TIMEOUT_MS = 30_000
const LISTENING = /^Listening {2}http:\/\/127\.0\.0\.1:(\d+)$/m

/** A server that runs as a process of its own. */
export interface ServerProcess {
  readonly port: number
  /** Processor time it has used so far; `undefined` where the system does not tell. */
  cpuMs(): number | undefined
  stop(): Promise<void>
}

export interface StartOptions {
  /** Arguments of `node`. */
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  /** File that its standard error is appended to. */
  readonly stderrFile: string
  /** Standard output up to where the server is ready must match this as well as name the port. */
  readonly ready?: RegExp
}

/**
 * Starts a Node process and waits until it prints `Listening  http://127.0.0.1:<port>`.
 *
 * @returns the process and what it printed until it was ready
 * @throws Error when it ends or is silent instead
 */
export async function startServer(options: StartOptions): Promise<{ server: ServerProcess; printed: string }> {
  const stderr = openSync(options.stderrFile, 'a')
  const env = { PATH: process.env.PATH, ...options.env }
  const child = spawn(process.execPath, options.args, { env, stdio: ['ignore', 'pipe', stderr] })
  closeSync(stderr)
  // However this process ends, by an uncaught error too, it leaves no server behind.
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  try {
    const printed = await outputUntil(child, options.ready ?? LISTENING)
    const port = Number(LISTENING.exec(printed)?.[1])
    const { pid = 0 } = child
    return { printed, server: { port, cpuMs: () => processCpuMs(pid), stop: () => stop(child) } }
  } catch (cause) {
    await stop(child)
    throw new Error(`A server did not start: ${readFileSync(options.stderrFile, 'utf8').slice(-2000)}`, { cause })
  }
}

function outputUntil(child: ChildProcess, ready: RegExp): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const timer = setTimeout(() => reject(new Error('A server took too long to start')), START_TIMEOUT_MS)
  let printed = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    printed += text
    if (LISTENING.test(printed) && ready.test(printed)) resolve(printed)
  })
  child.once('exit', (code) => reject(new Error(`A server ended while starting, with exit code ${code}`)))
  child.once('error', reject)
  return promise.finally(() => clearTimeout(timer))
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
}
