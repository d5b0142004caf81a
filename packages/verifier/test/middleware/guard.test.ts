import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Token } from '../../index.ts'
import { createGuard } from '../../middleware/guard.ts'

test('a requirement counts wherever it comes from', async () => {
  const scopes = ['reports:read']
  const token: Token = { id: '', jti: '', userId: '', businessId: null, scopes, issuedAtMs: 0, expiresAtMs: 0 }
  const verifier = { verify: async () => ({ status: 'valid', token }) as const }
  class Administration {
    get scopes() {
      return ['admin']
    }
  }
  for (const requirements of [{ scopes: ['admin'] }, Object.create({ scopes: ['admin'] }), new Administration()]) {
    const admission = await createGuard(verifier, requirements)(['Bearer a.b.c'], undefined)
    assert.ok('answer' in admission && admission.answer.status === 403)
  }
  assert.throws(() => createGuard(verifier, Object.create({ scope: ['admin'] })), TypeError)
})
