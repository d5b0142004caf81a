import assert from 'node:assert/strict'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { copyFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { checkBackup } from '../../server.ts'
import { mountImage, mountSmallDisk } from '../durability/mounted-disk.ts'
import { createHttpClient } from '../service/http-client.ts'
import { serveInstallation } from '../service/installation-client.ts'
import { temporaryFolder } from '../service/running-service.ts'
import { runProgram, serve, startProgram } from '../service/service-process.ts'
import { copiesIn } from './backup-file.ts'

test('what is backed up by command and restored by command serves on, with everything up to the backup', async (t) => {
  const { service, dataDir, client, ownerToken, operatorToken, businessId } = await serveInstallation(t)
  const owner = { token: ownerToken, business: businessId }
  const issue = async () =>
    (await client.send({ method: 'POST', path: '/api/v1/tokens', ...owner, json: { name: 'one' } })).json.data
  const [good, dead] = [await issue(), await issue()]
  const revoking = { method: 'POST', path: `/api/v1/tokens/${dead.token_info.id}/revoke`, ...owner }
  assert.equal((await client.send(revoking)).status, 201)
  const file = join(await temporaryFolder(t), 'backup.db')
  const made = await runProgram(t, ['backup', file], { RESCIND_URL: service.url, RESCIND_TOKEN: operatorToken })
  assert.equal(made.code, 0, made.stderr)
  const shown = /^last_change_at +(\S+)\nseq +(\d+)$/m.exec(made.stdout)
  assert.ok(shown, made.stdout)
  assert.match(made.stderr, /The master key is not in it/)
  const late = await issue()
  await service.kill()

  const folder = join(await temporaryFolder(t), 'data')
  const restored = await runProgram(t, ['restore', file, '--data-dir', folder])
  assert.equal(restored.code, 0, restored.stderr)
  assert.ok(restored.stdout.includes(shown[0]), 'the restore tells where the backup stands, as the backup did')
  assert.match(restored.stderr, /Revocations made since are not known/)
  assert.match(restored.stderr, /Tokens issued since are refused/)
  assert.match(restored.stderr, /The master key is missing/)
  await copyFile(join(dataDir, 'master.key'), join(folder, 'master.key'))

  const next = await serve(t, { dataDir: folder, env: { RESCIND_SHUTDOWN_SECONDS: '0' } })
  const nextClient = createHttpClient(next.url)
  t.after(() => nextClient.close())
  const status = async (token: string) => {
    const request = { method: 'GET', path: '/api/v1/tokens', token, business: businessId }
    return (await nextClient.send(request)).status
  }
  assert.equal(await status(good.token), 200)
  assert.equal(await status(dead.token), 401)
  assert.equal(await status(late.token), 401)
  assert.equal(await status(ownerToken), 200)
})

test('a backup that is killed in the middle leaves no file of that name, and the service nothing at all', async (t) => {
  const { service, dataDir, operatorToken } = await serveInstallation(t)
  const half = await proxy(t, service.url, (bytes) => bytes.subarray(0, bytes.length / 2), { ends: false })
  const folder = await temporaryFolder(t)
  const file = join(folder, 'backup.db')
  const env = { RESCIND_URL: half.url, RESCIND_TOKEN: operatorToken }
  const backup = startProgram(t, ['backup', file], env)
  await half.sent
  while (!(existsSync(`${file}.part`) && statSync(`${file}.part`).size > 0)) await delay(5)
  backup.child.kill('SIGKILL')
  await backup.exited
  assert.deepEqual(readdirSync(folder), ['backup.db.part'])
  assert.deepEqual(copiesIn(dataDir), [])

  const again = await runProgram(t, ['backup', file], { ...env, RESCIND_URL: service.url })
  assert.equal(again.code, 2)
  assert.match(again.stderr, /an earlier backup was cut off/)
  const refused = await runProgram(t, ['restore', `${file}.part`, '--data-dir', join(folder, 'data')])
  assert.equal(refused.code, 2)
  assert.deepEqual(readdirSync(folder), ['backup.db.part'])
  await rm(`${file}.part`)
  assert.equal((await runProgram(t, ['backup', file], { ...env, RESCIND_URL: service.url })).code, 0)
})

test('a backup that arrives damaged, or not to its end, leaves nothing', async (t) => {
  const { service, operatorToken } = await serveInstallation(t)
  const folder = await temporaryFolder(t)
  for (const [change, code, sentence] of [
    [(bytes: Buffer) => bytes.subarray(0, bytes.length / 2), 8, /No answer from/],
    [(bytes: Buffer) => Buffer.from(bytes).fill(0xa5, 8192, 12_288), 2, /damaged|sound/],
  ] as const) {
    const { url } = await proxy(t, service.url, change, { ends: true })
    const env = { RESCIND_URL: url, RESCIND_TOKEN: operatorToken }
    const backup = await runProgram(t, ['backup', join(folder, 'backup.db')], env)
    assert.equal(backup.code, code, backup.stderr)
    assert.match(backup.stderr, sentence)
    assert.deepEqual(readdirSync(folder), [])
  }
})

test('a backup is kept from the moment on at which the command reports it, whatever becomes of the power', async (t) => {
  const disk = mountImage(t, 32 << 20)
  if (disk === undefined) return
  const { service, operatorToken } = await serveInstallation(t)
  const file = join(disk.path, 'backup.db')
  const made = await runProgram(t, ['backup', file, '--json'], {
    RESCIND_URL: service.url,
    RESCIND_TOKEN: operatorToken,
  })
  disk.remount('abort')
  assert.equal(made.code, 0, made.stderr)
  disk.replug()
  const { seq, lastChangeMs, bytes } = await checkBackup(file)
  const reported = { file, bytes, last_change_at: new Date(lastChangeMs).toISOString(), seq }
  assert.deepEqual(JSON.parse(made.stdout), reported)
})

test('a backup to a disk that is full says so, and leaves nothing there', async (t) => {
  const disk = mountSmallDisk(t, '64k')
  if (disk === undefined) return
  const { service, operatorToken } = await serveInstallation(t)
  const env = { RESCIND_URL: service.url, RESCIND_TOKEN: operatorToken }
  const backup = await runProgram(t, ['backup', join(disk.path, 'backup.db')], env)
  assert.equal(backup.code, 2)
  assert.match(backup.stderr, /^error: The disk of \S+ is full; [^\n]+\n$/)
  assert.deepEqual(readdirSync(disk.path), [])
})

/** Passes one answer of the service on, as `change` leaves it, under the length that it had; one that is short breaks off, or never `ends`. */
async function proxy(
  t: TestContext,
  target: string,
  change: (bytes: Buffer) => Buffer,
  { ends }: { readonly ends: boolean },
): Promise<{ readonly url: string; readonly sent: Promise<void> }> {
  const sent = Promise.withResolvers<void>()
  const server = createServer((request, response) => {
    const { authorization = '' } = request.headers
    fetch(`${target}${request.url}`, { method: 'POST', headers: { authorization } })
      .then(async (answer) => {
        const bytes = Buffer.from(await answer.arrayBuffer())
        response.writeHead(200, { 'content-type': 'application/vnd.sqlite3', 'content-length': bytes.length })
        const passed = change(bytes)
        response.write(passed, () => {
          sent.resolve()
          if (ends && passed.length < bytes.length) response.destroy()
        })
      })
      .catch(sent.reject)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sent: sent.promise }
}
