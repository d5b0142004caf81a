import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import { cleanEnv } from '../../../server/test/service/service-process.ts'

const LISTEN_ANYWHERE = pathToFileURL(`${import.meta.dirname}/listen-anywhere.mjs`).href

/** A program that has not ended by then never will: they take less than a second. */
const LIMIT_MS = 30_000

export interface Run {
  /** The program of Node. */
  readonly node: string
  readonly folder: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** Runs a program until it ends by itself, and returns what it printed. It must end well and complain of nothing. */
export async function runToEnd(t: TestContext, run: Run): Promise<string> {
  const { child, ended } = start(t, run)
  child.stdin?.end()
  let printed = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    printed += text
  })
  await ended()
  return printed
}

/** A program that answers each line it reads with a line. */
export interface LineProgram {
  ask(line: string): Promise<string>
  /** Tells it that there are no more lines; it must end well by itself, and have complained of nothing. */
  end(): Promise<void>
}

export function startLineProgram(t: TestContext, run: Run): LineProgram {
  const { child, ended } = start(t, run)
  const { stdin, stdout } = child
  assert.ok(stdin !== null && stdout !== null)
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]()
  return {
    ask: async (line) => {
      stdin.write(`${line}\n`)
      const answer = await lines.next()
      if (answer.done !== true) return answer.value
      await ended()
      return assert.fail('it ended instead of answering')
    },
    end: () => {
      stdin.end()
      return ended()
    },
  }
}

export interface Server {
  readonly url: string
  /** Asks it to stop; it must end well by itself, and have complained of nothing. */
  stop(): Promise<void>
}

/** Starts a server wherever a port is free. Resolves once it listens. */
export async function startServer(t: TestContext, run: Run): Promise<Server> {
  const { child, ended } = start(t, { ...run, args: ['--import', LISTEN_ANYWHERE, ...run.args] })
  const endedEarly = ended().then(() => assert.fail('it ended instead of listening'))
  const [{ port }] = await Promise.race([once(child, 'message'), endedEarly])
  endedEarly.catch(() => {})
  const stop = () => {
    child.kill('SIGTERM')
    return ended()
  }
  return { url: `http://127.0.0.1:${port}`, stop }
}

function start(t: TestContext, { node, folder, args, env }: Run) {
  const child: ChildProcess = spawn(node, args, {
    cwd: folder,
    env: cleanEnv(env),
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  })
  let complaints = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaints += text
  })
  // When it has ended before it read everything, how it ended says why.
  child.stdin?.on('error', () => {})
  const closed = once(child, 'close')
  t.after(async () => {
    child.kill('SIGKILL')
    await closed
  })
  const ended = async () => {
    const [code] = await closed
    assert.deepEqual({ code, complaints }, { code: 0, complaints: '' })
  }
  return { child, ended }
}
