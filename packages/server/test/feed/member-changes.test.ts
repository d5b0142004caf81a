import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answered } from '../service/answered.ts'
import { addMember, expect, issueTo } from '../service/provisioning.ts'
import { type RunningService, runService } from '../service/running-service.ts'
import { attach } from './attached.ts'
import { openLink } from './link.ts'

type Holder = Awaited<ReturnType<typeof addMember>>

/** Every call that ends the tokens of a member, and the answer to the same call made again. */
const CALLS: Readonly<Record<string, { readonly send: Send; readonly again: number }>> = {
  'revoking the tokens of a member': {
    send: (service, holder) => post(service, memberPath(holder, '/revoke-tokens')),
    again: 200,
  },
  'revoking the tokens of a business': {
    send: (service, holder) => post(service, `/api/v1/businesses/${holder.businessId}/revoke-tokens`),
    again: 200,
  },
  'lowering a role': {
    send: (service, holder) =>
      service.call('PUT', memberPath(holder), {
        token: service.operatorToken,
        json: { email: holder.email, role: 'viewer' },
      }),
    again: 200,
  },
  'removing a member': {
    send: (service, holder) => service.call('DELETE', memberPath(holder), { token: service.operatorToken }),
    again: 404,
  },
}

type Send = (service: RunningService, holder: Holder) => Promise<Answered>

for (const [name, { send, again }] of Object.entries(CALLS)) {
  test(`${name} is answered, also when asked again meanwhile, once no verifier accepts them any more`, async (t) => {
    const service = await runService(t, { leaseSeconds: 2, shutdownSeconds: 1 })
    const link = await openLink(t, service.url)
    const verifier = await attach(t, link.url, service.operatorToken)
    const holder = await addMember(service, 'admin')
    const target = await issueTo(service, holder)
    assert.equal(verifier.verify(target.token).status, 'valid')

    link.cut()
    const mayDecide: boolean[] = []
    const answer = async () => {
      const answered = await send(service, holder)
      mayDecide.push(verifier.holds())
      return answered
    }
    const first = answer()
    while (expect(200, await isRevoked(service, target.token)).json.data.status === 'valid') {}
    const second = answer()
    expect(200, await first)
    expect(again, await second)
    assert.deepEqual(mayDecide, [false, false])
  })
}

function isRevoked(service: RunningService, token: string): Promise<Answered> {
  return service.call('POST', '/api/v1/tokens/verify', {
    token: service.operatorToken,
    business: null,
    json: { token },
  })
}

function post(service: RunningService, path: string): Promise<Answered> {
  return service.call('POST', path, { token: service.operatorToken })
}

function memberPath({ businessId, userId }: Holder, rest = ''): string {
  return `/api/v1/businesses/${businessId}/members/${userId}${rest}`
}
