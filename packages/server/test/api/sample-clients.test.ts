import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runSample, sampleSkip } from '../contract/run-sample.ts'
import { assertAlive, issued } from '../service/provisioning.ts'
import { runService, temporaryFolder } from '../service/running-service.ts'

for (const [name, language] of [
  ['curl', 'bash'],
  ['fetch', 'javascript'],
  ['httpx', 'python'],
] as const) {
  test(`the ${name} client of the reference page revokes a token`, { skip: sampleSkip(language) }, async (t) => {
    const service = await runService(t)
    const { url, ownerToken: token, businessId } = service
    const target = issued(await service.call('POST', '/api/v1/tokens', { json: { name: 'target' } }))
    await assertAlive(service, target, true)
    const sampled = { url, tokenId: target.id, token, businessId }
    const { status, body } = await runSample(language, sampled, await temporaryFolder(t))
    assert.deepEqual([status, body.success, body.code, body.data.id], [201, true, 'TOKEN_REVOKED', target.id])
    await assertAlive(service, target, false)
  })
}
