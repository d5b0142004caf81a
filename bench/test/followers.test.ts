import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Followers } from '../followers/followers.ts'
import { drive } from '../load/drive.ts'
import { InForceAnswers } from '../load/in-force-answers.ts'
import { eachOnce } from '../load/next-request.ts'
import { populate } from '../population.ts'
import { type RescindProcess, startRescind } from '../servers/rescind-process.ts'
import { TokenSupply } from '../token-supply.ts'
import { revokeRequest } from '../topics/revoking.ts'

const FOLLOWERS = join(import.meta.dirname, '../followers/followers.ts')

async function runRescind(t: TestContext): Promise<RescindProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'rescind-bench-'))
  const rescind = await startRescind(folder)
  t.after(async () => {
    await rescind.stop()
    await rm(folder, { recursive: true, force: true })
  })
  return rescind
}

test('while verifiers are attached every revocation is applied by each of them, and afterwards by nobody', async (t) => {
  const rescind = await runRescind(t)
  const followers = new Followers()
  t.after(() => followers.stop())
  const population = await populate(rescind, { members: 1, manyTokens: 0 })
  const supply = new TokenSupply(rescind, population)
  const revokeFive = async (attached: number) => {
    const answers = new InForceAnswers(attached)
    const next = eachOnce((await supply.take(5)).map(({ id }) => revokeRequest(rescind, id)))
    const onHead = (head: string) => answers.add(head)
    const durationMs = Number.POSITIVE_INFINITY
    return drive({ port: rescind.port, clients: 2, next, durationMs, expectedStatus: 201, onHead })
  }
  for (const attached of [9, 1, 0]) {
    const work = () => revokeFive(attached)
    assert.equal((await followers.during(attached, rescind, population.feedToken, work)).requests, 5)
  }
})

test('the processes of verifiers end with the one that started them, even when that is killed', async (t) => {
  const { port, operatorToken } = await runRescind(t)
  const program = `
    const { PORT, TOKEN } = process.env
    import(${JSON.stringify(FOLLOWERS)}).then(({ Followers }) =>
      new Followers().during(8, { port: PORT }, TOKEN, async () => console.log('all are attached')))`
  const starter = spawn(process.execPath, ['--eval', program], {
    env: { ...process.env, PORT: `${port}`, TOKEN: operatorToken },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  // They all write to its standard output, which is closed when the last of them has ended.
  const closed = once(starter, 'close')
  const [answered] = await Promise.race([once(starter.stdout, 'data'), closed])
  assert.equal(`${answered}`, 'all are attached\n')
  starter.kill('SIGKILL')
  await closed
})
