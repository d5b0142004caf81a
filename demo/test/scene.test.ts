import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'

const DEMO = join(import.meta.dirname, '../demo.ts')

/** The demo with leases of 2 s, without a terminal. */
interface Demo {
  readonly child: ChildProcess
  printed(): string
  /** Resolves when this was printed. */
  printing(text: string): Promise<void>
  /** Resolves with the exit code once everything has ended. */
  readonly ended: Promise<number | null>
  /** Processes that it has started, and that are still there. */
  left(): readonly string[]
  /** Its temporary files. */
  files(): readonly string[]
}

function startDemo(t: TestContext): Demo {
  const folder = mkdtempSync(join(tmpdir(), 'rescind-demo-test-'))
  // What it starts has its path: that tells them from all others.
  const env = { PATH: `${folder}:${process.env.PATH}`, TMPDIR: folder }
  const child = spawn(process.execPath, [DEMO, '--lease', '2'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
  })
  const ended = once(child, 'close').then(([code]): number | null => code)
  t.after(async () => {
    child.kill('SIGTERM')
    await ended
    rmSync(folder, { recursive: true, force: true })
  })
  const printing = async (awaited: string) => {
    while (!text.includes(awaited))
      await Promise.race([once(child.stdout, 'data'), ended.then(() => assert.fail(text))])
  }
  return {
    child,
    printed: () => text,
    printing,
    ended,
    left: () => processesWith(folder),
    files: () => readdirSync(folder),
  }
}

/** Ids of processes with this in their environment. */
function processesWith(text: string): readonly string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/environ`, 'latin1').includes(text)
    } catch {
      // It has ended meanwhile.
      return false
    }
  })
}

const options = { skip: process.platform !== 'linux', timeout: 60_000 }

test(
  'the scene ends well: refused by everybody, frozen or not, and accepted by nobody after a 201',
  options,
  async (t) => {
    const demo = startDemo(t)
    await demo.printing('8 processes accept token 1')
    assert(demo.left().length >= 10, 'the demo, the service and eight verifiers')
    assert.equal(await demo.ended, 0)
    const text = demo.printed()
    assert.equal(text.match(/^ {2}201 after /gm)?.length, 3)
    assert.equal(text.match(/^ {2}refused by [78] of 8 within /gm)?.length, 3)
    assert.equal(text.match(/^ {2}accepted after the 201: never$/gm)?.length, 3)
    assert.match(
      text,
      /waiting for verifier 3, which is frozen and may hold a lease for at most 1\.\d s\n {2}201 after /,
    )
    assert.match(text, /1 waited out\n {2}refused by 7 of 8 within /)
    assert.match(text, /Wake verifier 3 \(SIGCONT\)\n {2}verifier 3 refused token 2 .* after waking/)
    assert.match(text, /accepted after its 201: 0 tokens\nrefused before it was revoked: 0 tokens\n$/)
    assert.doesNotMatch(text, /dz_/)
    assert.deepEqual(demo.left(), [])
    assert.deepEqual(demo.files(), [])
  },
)

test('ended with SIGTERM while a verifier is frozen, nothing is left', options, async (t) => {
  const demo = startDemo(t)
  await demo.printing('Freeze verifier 3')
  demo.child.kill('SIGTERM')
  assert.equal(await demo.ended, 143)
  assert.deepEqual(demo.left(), [])
  assert.deepEqual(demo.files(), [])
})

test('ended with SIGINT while it starts, nothing is left', options, async (t) => {
  const demo = startDemo(t)
  await demo.printing('Starting')
  demo.child.kill('SIGINT')
  assert.equal(await demo.ended, 130)
  assert.deepEqual(demo.left(), [])
  assert.deepEqual(demo.files(), [])
})

test('when nobody reads on, it ends and nothing is left', options, async (t) => {
  const demo = startDemo(t)
  await demo.printing('Starting')
  demo.child.stdout?.destroy()
  assert.equal(await demo.ended, 129)
  assert.deepEqual(demo.left(), [])
  assert.deepEqual(demo.files(), [])
})
