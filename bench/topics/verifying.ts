import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { createVerifier as createFastJwt } from 'fast-jwt'
import type { AttachedVerifier } from '../../packages/verifier/core/attached-verifier.ts'
import { attach } from '../followers/attach.ts'
import { drive } from '../load/drive.ts'
import { eachOnce } from '../load/next-request.ts'
import type { Population } from '../population.ts'
import { comparisonCells, type Row } from '../report/row.ts'
import { median } from '../report/statistics.ts'
import type { RescindProcess } from '../servers/rescind-process.ts'
import type { Servers } from '../servers/servers.ts'
import type { TokenSupply } from '../token-supply.ts'
import { revokeRequest } from './revoking.ts'

/** Well below what the verifier remembers, so that every token was seen before. */
const SEEN_TOKENS = 2000
const NEW_TOKENS_PER_ROUND = 20
const WARM_UP_ROUNDS = 2
/** So that the revocation set is asked in earnest. */
const REVOKED_TOKENS = 1000
const REVOKING_CLIENTS = 32
const PREFIX = 'dz_'

/**
 * What one verification costs, of a token seen before, and of a new one: in a verifier in this process, which is
 * attached to the service and holds a lease from it.
 */
export async function verifying(
  { rescind }: Servers,
  supply: TokenSupply,
  { feedToken }: Population,
  rounds: number,
): Promise<Row[]> {
  const take = async (count: number) => (await supply.take(count)).map(({ token }) => token)
  const seen = await take(SEEN_TOKENS)
  const fresh = await take((WARM_UP_ROUNDS + rounds) * NEW_TOKENS_PER_ROUND)
  const publicKey = await readPublicKey(rescind)
  const { verifier, close } = await attach(`http://127.0.0.1:${rescind.port}`, feedToken)
  try {
    await revokeSome(rescind, supply, verifier)
    return [
      ...(await seenBefore(verifier, publicKey, seen, rounds)),
      ...(await firstTime(verifier, publicKey, fresh, rounds)),
    ]
  } finally {
    await close()
  }
}

/**
 * All sides look up the same tokens in strings that were made for the occasion: like a string out of a request, its hash
 * has not been computed yet. Making the strings is not part of any side.
 */
async function seenBefore(
  verifier: AttachedVerifier,
  publicKey: KeyObject,
  tokens: readonly string[],
  rounds: number,
): Promise<Row[]> {
  const bytes = tokens.map((token) => Buffer.from(token, 'latin1'))
  const map = new Map(tokens.map((token) => [token, { token }]))
  const peer = createFastJwt({ key: pem(publicKey), cache: 2 * SEEN_TOKENS })
  const revoked = new Set<string>()
  const sides = {
    mapGet: (token: string) => map.get(token) !== undefined,
    verifier: (token: string) => verifier.verify(token).status === 'valid',
    peer: (token: string) => !revoked.has(peer(token.slice(PREFIX.length)).jti),
  }
  const figures: Record<keyof typeof sides, number[]> = { mapGet: [], verifier: [], peer: [] }
  const names = Object.keys(figures) as (keyof typeof sides)[]
  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    for (const name of names) {
      const fresh = bytes.map((token) => token.toString('latin1'))
      const eachMs = timeMs(() => assertAll(fresh, sides[name])) / SEEN_TOKENS
      if (round >= 0) figures[name].push(eachMs)
    }
    await leaseRenewed()
  }
  const against = `Map.get of a fresh string of ${tokens[0]?.length} bytes`
  return [
    { what: against, figure: microseconds(figures.mapGet) },
    {
      what: 'verify, seen before, attached: lease and set',
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
async function firstTime(
  verifier: AttachedVerifier,
  publicKey: KeyObject,
  all: readonly string[],
  rounds: number,
): Promise<Row[]> {
  const peer = createFastJwt({ key: pem(publicKey) })
  const raw: number[] = []
  const ours: number[] = []
  const peers: number[] = []
  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    const from = (WARM_UP_ROUNDS + round) * NEW_TOKENS_PER_ROUND
    const tokens = all.slice(from, from + NEW_TOKENS_PER_ROUND)
    const parts = tokens.map(signedParts)
    const rawMs = timeMs(() => assertAll(parts, ({ signed, signature }) => verify(null, signed, publicKey, signature)))
    const oursMs = timeMs(() => assertAll(tokens, (token) => verifier.verify(token).status === 'valid'))
    const peerMs = timeMs(() => assertAll(tokens, (token) => peer(token.slice(PREFIX.length)) !== undefined))
    await leaseRenewed()
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

/** Lets this process hear what its verifier is sent. */
async function leaseRenewed(): Promise<void> {
  await setImmediate()
}

async function revokeSome(rescind: RescindProcess, supply: TokenSupply, verifier: AttachedVerifier): Promise<void> {
  const tokens = await supply.take(REVOKED_TOKENS)
  await drive({
    port: rescind.port,
    clients: REVOKING_CLIENTS,
    next: eachOnce(tokens.map(({ id }) => revokeRequest(rescind, id))),
    durationMs: Number.POSITIVE_INFINITY,
    expectedStatus: 201,
  })
  assertAll(tokens, ({ token }) => verifier.verify(token).status === 'rejected')
}

/** The key of the service that signs its tokens. */
async function readPublicKey({ port }: RescindProcess): Promise<KeyObject> {
  const response = await fetch(`http://127.0.0.1:${port}/.well-known/jwks.json`)
  const { keys } = (await response.json()) as { readonly keys: readonly Record<string, string>[] }
  return createPublicKey({ key: keys[0] ?? {}, format: 'jwk' })
}

function pem(publicKey: KeyObject): string {
  return publicKey.export({ format: 'pem', type: 'spki' }).toString()
}

/** What the signature of a token covers, and the signature. */
function signedParts(token: string): { readonly signed: Buffer; readonly signature: Buffer } {
  const end = token.lastIndexOf('.')
  return {
    signed: Buffer.from(token.slice(PREFIX.length, end)),
    signature: Buffer.from(token.slice(end + 1), 'base64url'),
  }
}

function assertAll<T>(all: readonly T[], isAsExpected: (each: T) => boolean): void {
  for (const each of all) if (!isAsExpected(each)) throw new Error('A verdict was not the one expected')
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
