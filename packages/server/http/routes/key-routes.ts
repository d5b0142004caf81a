import type { KeyInfo } from '../../tokens/signing-keys.ts'
import { defineRoute, type Route } from '../route.ts'
import { SigningKeyListResponse, SigningKeyResponse, SigningKeyRotate } from '../schemas.ts'
import type { Services } from '../services.ts'
import { instant, instantOrNull } from './present.ts'

/** The keys that sign tokens. Operators only. */
export function keyRoutes({ access, keys, defaultAlg }: Services): Route[] {
  const shared = { tag: 'keys', scopes: ['operator'], business: 'none' } as const
  const success = {
    status: 200,
    description: 'The signing key',
    schemaName: 'SuccessEnvelope_SigningKeyResponse_',
    data: SigningKeyResponse,
  } as const

  const listKeys = defineRoute({
    ...shared,
    method: 'GET',
    path: '/api/v1/keys',
    operationId: 'list_keys_api_v1_keys_get',
    summary: 'List signing keys',
    description: 'Every signing key ever made, oldest first.',
    success: {
      status: 200,
      description: 'The signing keys',
      schemaName: 'SuccessEnvelope_SigningKeyListResponse_',
      data: SigningKeyListResponse,
      codes: ['KEYS_LISTED'],
    },
    errors: [],
    handler: async () => ({ code: 'KEYS_LISTED', data: { items: (await keys.list()).map(presentKey) } }),
  })

  const rotateKey = defineRoute({
    ...shared,
    method: 'POST',
    path: '/api/v1/keys/rotate',
    operationId: 'rotate_key_api_v1_keys_rotate_post',
    summary: 'Rotate signing key',
    description: 'Makes a key that signs from now on. Tokens of earlier keys stay valid until those are retired.',
    body: SigningKeyRotate,
    bodyOptional: true,
    success: { ...success, codes: ['KEY_ROTATED'], inForce: 'always' },
    errors: [],
    handler: async (call) => {
      const rotated = await keys.rotate(access.writeAs(call), call.body?.alg ?? defaultAlg)
      if ('refused' in rotated) return rotated
      return { code: 'KEY_ROTATED', data: presentKey(rotated.key), inForce: rotated.inForce }
    },
  })

  const retireKey = defineRoute({
    ...shared,
    method: 'POST',
    path: '/api/v1/keys/{kid}/retire',
    freePathIds: ['kid'],
    operationId: 'retire_key_api_v1_keys__kid__retire_post',
    summary: 'Retire signing key',
    description: 'Ends a key that no longer signs, and every token it ever signed.',
    success: { ...success, codes: ['KEY_RETIRED'], inForce: 'always' },
    errors: ['key_not_found', 'key_in_use'],
    handler: async (call) => {
      const cause = { by: call.principal.email, reason: 'Its signing key was retired' }
      const retired = await keys.retire(access.writeAs(call), call.params.kid, cause)
      if ('refused' in retired) return retired
      return { code: 'KEY_RETIRED', data: presentKey(retired.key), inForce: retired.inForce }
    },
  })

  return [listKeys, rotateKey, retireKey]
}

function presentKey({ jwk, signing, createdAtMs, retiredAtMs }: KeyInfo) {
  return {
    kid: jwk.kid,
    alg: jwk.alg,
    signing,
    created_at: instant(createdAtMs),
    retired_at: instantOrNull(retiredAtMs),
  }
}
