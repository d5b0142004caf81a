import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import {
  type EntryBody,
  encodeBase64url,
  genesis,
  headerSegment,
  isLowS,
  nextEntry,
  type PublicJwk,
  positionAfter,
  publicJwk,
  readToken,
  type SigningAlgorithm,
  statusListUri,
  type TokenClaims,
  toLowS,
  type VerifiedToken,
} from '@rescind/protocol'
import { createLocalVerifier, type LocalVerifier, type LocalVerifierOptions } from '@rescind/verifier/core'

/** Signs whatever it is told to, the way a legitimate signer would and in every way it would not. */
interface Signer {
  readonly alg: SigningAlgorithm
  readonly jwk: PublicJwk
  readonly publicKey: KeyObject
  /** Raw signature bytes; for ES256 r || s with the smaller s. */
  sign(signed: string): Buffer
  /** A token, prefix and all, of exactly these two segments. */
  mintSegments(header: string, payload: string): string
  /** A token with the proper header, of exactly this payload text. */
  mintText(payload: string | Uint8Array): string
  mint(claims: TokenClaims): string
}

export function createSigner(alg: SigningAlgorithm = 'EdDSA'): Signer {
  const { publicKey, privateKey } =
    alg === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const jwk = publicJwk(alg === 'EdDSA' ? { kty: 'OKP', crv: 'Ed25519', x } : { kty: 'EC', crv: 'P-256', x, y })
  const rawSign = (signed: string) =>
    alg === 'EdDSA'
      ? sign(null, Buffer.from(signed), privateKey)
      : toLowS(sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' }))
  const mintSegments = (header: string, payload: string) =>
    join(header, payload, encodeBase64url(rawSign(`${header}.${payload}`)))
  const mintText = (payload: string | Uint8Array) => mintSegments(headerSegment(alg, jwk.kid), encodeBase64url(payload))
  return { alg, jwk, publicKey, sign: rawSign, mintSegments, mintText, mint: (c) => mintText(JSON.stringify(c)) }
}

export function join(...segments: readonly string[]): string {
  return `dz_${segments.join('.')}`
}

/** The three segments of a token. */
export function segmentsOf(token: string): readonly [string, string, string] {
  const [header = '', payload = '', signature = ''] = token.slice(3).split('.')
  return [header, payload, signature]
}

/** The twin that elliptic curve signatures have: as good mathematically, with the larger s. */
export function highSTwin(signature: Buffer): Buffer {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const s = order - BigInt(`0x${signature.toString('hex', 32)}`)
  const twin = Buffer.concat([signature.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')])
  if (isLowS(twin) === isLowS(signature)) throw new Error('One of the twins must be low')
  return twin
}

export const ISSUER = 'https://tokens.example'
export const EPOCH = '0b8ad6f0-6b1f-4a0f-9c5f-6f1f0a3a7c11'
/** 2030-01-01, in seconds; the clock of {@link installation} starts here. */
export const NOW_SEC = 1_893_456_000

export function claimsOf(changes: Partial<TokenClaims> & { idx?: number; uri?: string } = {}): TokenClaims {
  const { idx = 0, uri = statusListUri(EPOCH), ...rest } = changes
  return {
    iss: ISSUER,
    sub: randomUUID(),
    aud: ISSUER,
    client_id: randomUUID(),
    jti: randomUUID(),
    iat: NOW_SEC - 60,
    exp: NOW_SEC + 3600,
    scope: 'tokens:read tokens:write',
    business_id: randomUUID(),
    type: 'api',
    status: { status_list: { idx, uri } },
    ...rest,
  }
}

/** A verifier with a log of its own, a clock and a lease that the test moves. */
export interface Installation {
  readonly verifier: LocalVerifier
  nowMs: number
  leased: boolean
  /** Appends to the log and applies. */
  log(...bodies: readonly EntryBody[]): void
}

export function installation(signers: readonly Signer[], options: Partial<LocalVerifierOptions> = {}): Installation {
  const verifier = createLocalVerifier({
    issuer: ISSUER,
    epoch: EPOCH,
    tokenPrefix: 'dz_',
    lease: { holds: () => state.leased },
    clock: { nowMs: () => state.nowMs },
    ...options,
  })
  let head = genesis(options.epoch ?? EPOCH)
  const state: Installation = {
    verifier,
    nowMs: NOW_SEC * 1000,
    leased: true,
    log: (...bodies) => {
      for (const body of bodies) {
        const entry = nextEntry(head, body, state.nowMs)
        verifier.apply([entry])
        head = positionAfter(head, entry)
      }
    },
  }
  state.log(...signers.map(({ jwk }) => ({ kind: 'key_added', jwk }) as const))
  return state
}

/** The reason of the rejection, or the status when it is not one. */
export function outcome(
  verifier: LocalVerifier,
  token: string,
  ...expected: [] | [Parameters<LocalVerifier['verify']>[1]]
): string {
  const verdict = verifier.verify(token, ...expected)
  return verdict.status === 'rejected' ? verdict.reason : verdict.status
}

/** As a verifier holds a token once it has checked it. */
export function verifiedToken(claims: TokenClaims, kid = 'k'): VerifiedToken {
  return { ...readToken(claims), claims, kid }
}
