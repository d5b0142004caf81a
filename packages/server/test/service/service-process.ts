import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { databaseEnv } from './test-database.ts'

/** The program as users start it. */
const PROGRAM = join(import.meta.dirname, '../../bin/rescind.js')

/** How a process ended: one of the two is `null`. */
interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A process of the program and everything it printed. */
interface ProgramProcess {
  readonly child: ChildProcess
  stdout(): string
  stderr(): string
  readonly exited: Promise<Exit>
}

/** A process that serves. */
export interface ServiceProcess extends ProgramProcess {
  readonly url: string
  /** Ends it as a power cut would, and waits until it is gone. */
  kill(): Promise<Exit>
  /** Asks it to stop, and waits. */
  stop(): Promise<Exit>
}

interface ServeOptions {
  readonly dataDir: string
  readonly port?: number
  readonly env?: Readonly<Record<string, string>>
}

/** What the first start printed. */
export interface Printed {
  readonly businessId: string
  readonly ownerToken: string
  readonly operatorToken: string
}

/** The environment of the tests without any setting of the service in it. */
export function cleanEnv(env: Readonly<Record<string, string>> = {}): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(?:RESCIND_|DATABASE_URL$|PG|NODE_OPTIONS$)/.test(name),
  )
  const own = Object.fromEntries(inherited.filter((pair): pair is [string, string] => pair[1] !== undefined))
  return { ...own, ...env }
}

/** Starts the program; it is killed at the end of the test if it still runs. */
export function startProgram(
  t: TestContext,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = '',
): ProgramProcess {
  const child = spawn(process.execPath, [PROGRAM, ...args], { env: cleanEnv(env), stdio: 'pipe' })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  // 'close' comes after the last byte of both streams.
  const exited = once(child, 'close').then(([code, signal]): Exit => ({ code, signal }))
  t.after(async () => {
    child.kill('SIGKILL')
    await exited
  })
  return { child, stdout: () => stdout, stderr: () => stderr, exited }
}

/** Starts the service and waits until it listens. Throws with what it printed when it does not. */
export async function serve(t: TestContext, { dataDir, port = 0, env = {} }: ServeOptions): Promise<ServiceProcess> {
  const started = startProgram(t, ['serve', '--data-dir', dataDir, '--port', String(port)], {
    RESCIND_LOG_LEVEL: 'warn',
    ...databaseEnv(dataDir),
    ...env,
  })
  const { child, exited } = started
  const url = await listeningUrl(started)
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    return exited
  }
  return { ...started, url, kill: () => end('SIGKILL'), stop: () => end('SIGTERM') }
}

async function listeningUrl({ child, stdout, stderr, exited }: ProgramProcess): Promise<string> {
  const printed = () => /^Listening {2}(\S+)\n/.exec(stdout())?.[1]
  const ended = exited.then(() => 'ended' as const)
  while (printed() === undefined) {
    const news = await Promise.race([once(child.stdout ?? child, 'data'), ended])
    if (news === 'ended') throw new Error(`The service did not start: ${stderr()}`)
  }
  return printed() ?? ''
}

/** Reads what the first start shows; waits until all of it has arrived. */
export async function printedTokens(service: ProgramProcess): Promise<Printed> {
  const { stdout, child } = service
  while (!/^Operator token {2}\S+\n/m.test(stdout())) await once(child.stdout ?? child, 'data')
  const value = (label: string) => new RegExp(`^${label} {2}(\\S+)$`, 'm').exec(stdout())?.[1] ?? ''
  return { businessId: value('Business'), ownerToken: value('Owner token'), operatorToken: value('Operator token') }
}

/** Runs the program to its end. */
export async function runProgram(
  t: TestContext,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = '',
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const started = startProgram(t, args, env, input)
  const { code } = await started.exited
  return { code, stdout: started.stdout(), stderr: started.stderr() }
}
