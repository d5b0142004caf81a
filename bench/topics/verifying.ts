import { createPublicKey, randomUUID, verify } from 'node:crypto'
import { genesis, nextEntry, statusListUri } from '@rescind/protocol'
import { createVerifier, type Verifier } from '@rescind/verifier'
import { createVerifier as createFastJwt } from 'fast-jwt'
import { generateSigningKey, type SigningKey, signClaims } from '../../packages/server/tokens/signing-key.ts'
import { comparisonCells, type Row } from '../report/row.ts'
import { median } from '../report/statistics.ts'

const ISSUER = 'http://127.0.0.1:8080'
const EPOCH = randomUUID()
const PREFIX = 'dz_'
/** Well below what the verifier remembers, so that every token was seen before. */
const SEEN_TOKENS = 2000
const NEW_TOKENS_PER_ROUND = 20

const key = generateSigningKey('EdDSA')

/** What one verification costs, in this process: of a token seen before, and of a new one. */
export function verifying(rounds: number): Row[] {
  return [...seenBefore(rounds), ...firstTime(rounds)]
}

/**
 * Both sides look up the same tokens in strings that were made for the occasion: like a string out of a request, its hash
 * has not been computed yet. Making the strings is not part of either side.
 */
function seenBefore(rounds: number): Row[] {
  const tokens = Array.from({ length: SEEN_TOKENS }, (_, idx) => mint(idx))
  const bytes = tokens.map((token) => Buffer.from(token, 'latin1'))
  const map = new Map(tokens.map((token) => [token, { token }]))
  const verifier = newVerifier()
  const peer = createFastJwt({ key: publicPem(key), cache: 2 * SEEN_TOKENS })
  const revoked = new Set<string>()
  const sides = {
    mapGet: (token: string) => map.get(token) !== undefined,
    verifier: (token: string) => verifier.verify(token).status === 'valid',
    peer: (token: string) => !revoked.has(peer(token.slice(PREFIX.length)).jti),
  }
  const figures: Record<keyof typeof sides, number[]> = { mapGet: [], verifier: [], peer: [] }
  const names = Object.keys(figures) as (keyof typeof sides)[]
  for (let round = -2; round < rounds; round += 1) {
    for (const name of names) {
      const fresh = bytes.map((token) => token.toString('latin1'))
      const eachMs = timeMs(() => assertAll(fresh, sides[name])) / SEEN_TOKENS
      if (round >= 0) figures[name].push(eachMs)
    }
  }
  const against = `Map.get of a fresh string of ${tokens[0]?.length} bytes`
  return [
    { what: against, figure: microseconds(figures.mapGet) },
    {
      what: 'verify, seen before',
      figure: microseconds(figures.verifier),
      ...comparisonCells({ ours: figures.verifier, theirs: figures.mapGet, against, bar: { atMost: 3 } }),
    },
    {
      what: 'fast-jwt with its cache, and a Set',
      figure: microseconds(figures.peer),
      ...comparisonCells({ ours: figures.peer, theirs: figures.mapGet, against }),
    },
  ]
}

/** In every round each side verifies the same few new tokens, in turn. */
function firstTime(rounds: number): Row[] {
  const verifier = newVerifier()
  const publicKey = createPublicKey(key.privateKey)
  const peer = createFastJwt({ key: publicPem(key) })
  const raw: number[] = []
  const ours: number[] = []
  const peers: number[] = []
  for (let round = -2; round < rounds; round += 1) {
    const tokens = Array.from({ length: NEW_TOKENS_PER_ROUND }, (_, n) => mint(SEEN_TOKENS + n))
    const parts = tokens.map(signedParts)
    const rawMs = timeMs(() => assertAll(parts, ({ signed, signature }) => verify(null, signed, publicKey, signature)))
    const oursMs = timeMs(() => assertAll(tokens, (token) => verifier.verify(token).status === 'valid'))
    const peerMs = timeMs(() => assertAll(tokens, (token) => peer(token.slice(PREFIX.length)) !== undefined))
    if (round < 0) continue
    raw.push(rawMs / NEW_TOKENS_PER_ROUND)
    ours.push(oursMs / NEW_TOKENS_PER_ROUND)
    peers.push(peerMs / NEW_TOKENS_PER_ROUND)
  }
  const against = 'raw crypto.verify, Ed25519'
  return [
    { what: against, figure: microseconds(raw) },
    {
      what: 'verify, first time',
      figure: microseconds(ours),
      ...comparisonCells({ ours, theirs: raw, against, bar: { atMost: 1.15 } }),
    },
    {
      what: 'fast-jwt, first time',
      figure: microseconds(peers),
      ...comparisonCells({ ours: peers, theirs: raw, against }),
    },
  ]
}

/** Wired as in the service: the time is asked for, the lease is asked, the log is applied. */
function newVerifier(): Verifier {
  const verifier = createVerifier({
    issuer: ISSUER,
    epoch: EPOCH,
    tokenPrefix: PREFIX,
    lease: { holds: () => true },
    clock: { nowMs: () => Date.now() },
  })
  verifier.apply([nextEntry(genesis(EPOCH), { kind: 'key_added', jwk: key.jwk }, Date.now())])
  return verifier
}

function mint(idx: number): string {
  const nowSec = Math.floor(Date.now() / 1000)
  const claims = {
    iss: ISSUER,
    sub: randomUUID(),
    aud: ISSUER,
    client_id: randomUUID(),
    jti: randomUUID(),
    iat: nowSec,
    exp: nowSec + 3600,
    scope: 'tokens:read tokens:write',
    business_id: randomUUID(),
    type: 'api',
    status: { status_list: { idx, uri: statusListUri(EPOCH) } },
  } as const
  return PREFIX + signClaims(key, claims)
}

function publicPem({ privateKey }: SigningKey): string {
  return createPublicKey(privateKey).export({ format: 'pem', type: 'spki' }).toString()
}

/** What the signature of a token covers, and the signature. */
function signedParts(token: string): { readonly signed: Buffer; readonly signature: Buffer } {
  const end = token.lastIndexOf('.')
  return {
    signed: Buffer.from(token.slice(PREFIX.length, end)),
    signature: Buffer.from(token.slice(end + 1), 'base64url'),
  }
}

function assertAll<T>(tokens: readonly T[], accepts: (token: T) => boolean): void {
  for (const token of tokens) if (!accepts(token)) throw new Error('A valid token was not accepted')
}

function timeMs(work: () => void): number {
  const startedMs = performance.now()
  work()
  return performance.now() - startedMs
}

function microseconds(eachMs: readonly number[]): string {
  const value = median(eachMs) * 1000
  return `${value.toFixed(value < 10 ? 2 : 0)} µs`
}
