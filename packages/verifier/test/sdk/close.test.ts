import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openLink } from '../../../server/test/feed/link.ts'
import { createVerifier } from '../../index.ts'
import { sdkWorld } from './sdk-world.ts'

test('a verifier that was closed decides nothing, and no revocation waits for it', async (t) => {
  // A revocation that waited for the lease would not be answered in the time of a test.
  const world = await sdkWorld(t, { leaseSeconds: 300 })
  const verifier = await world.verifier()
  const issued = await world.token()
  assert.equal((await verifier.verify(issued.token)).status, 'valid')
  await verifier.close()
  assert.deepEqual(await verifier.verify(issued.token), { status: 'undecided', reason: 'closed' })
  assert.equal(verifier.status().deciding, false)
  const headers = await world.revoke(issued)
  assert.deepEqual([headers.get('rescind-applied'), headers.get('rescind-waited-out')], ['0', '0'])
  await verifier.close()
})

test('closing twice at once is closing once', async (t) => {
  const world = await sdkWorld(t)
  const verifier = await world.verifier()
  await Promise.all([verifier.close(), verifier.close()])
})

test('questions that are under way when a verifier is closed are answered by nobody', async (t) => {
  const world = await sdkWorld(t)
  const verifier = await world.verifier({ mode: 'online' })
  const { token } = await world.token()
  const verdict = verifier.verify(token)
  await verifier.close()
  assert.deepEqual(await verdict, { status: 'undecided', reason: 'closed' })
})

test('closing ends, whatever has become of the connection', async (t) => {
  const world = await sdkWorld(t, { leaseSeconds: 2 })
  const link = await openLink(t, world.service.url)
  const create = () => createVerifier({ url: link.url, token: world.feedToken })
  const silent = await create()
  link.loseAnswers()
  await silent.close()
  link.mend()
  const cut = await create()
  link.cut()
  await cut.close()
  for (const verifier of [silent, cut]) {
    assert.deepEqual(await verifier.verify(world.feedToken), { status: 'undecided', reason: 'closed' })
  }
})

test('a verifier tells of nothing after it was closed', async (t) => {
  const world = await sdkWorld(t, { leaseSeconds: 2 })
  const verifier = await world.verifier()
  for (const name of ['lapsed', 'caught-up', 'trouble', 'expiring'] as const) {
    verifier.on(name, () => assert.fail(`it tells of ${name}`))
  }
  const closed = verifier.close()
  world.lapse()
  await closed
  await world.service.stop()
})
