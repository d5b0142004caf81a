import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { createVerifier as createFastJwt } from 'fast-jwt'
import { jwtVerify } from 'jose'
import type { Verdict, Verifier } from '../../packages/verifier/index.ts'
import { attach } from '../followers/attach.ts'
import { drive } from '../load/drive.ts'
import { eachOnce } from '../load/next-request.ts'
import type { Population } from '../population.ts'
import { type Bar, comparisonCells, type Row } from '../report/row.ts'
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

/** One way to decide about a token. */
interface Side {
  readonly what: string
  readonly bar?: Bar
  /** About a good token. */
  readonly decide: (token: string) => Decision | Promise<Decision>
}

type Decision = boolean | Pick<Verdict, 'status'>

/**
 * What one verification costs, of a token seen before, and of a new one: in an application in this process, which is
 * attached to the service and holds a lease from it. The peers know of no revocation but those in a set of their own.
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
  const { verifier } = await attach(rescind.port, feedToken)
  try {
    await revokeSome(rescind, supply, verifier)
    return [
      ...(await seenBefore(verifier, publicKey, seen, rounds)),
      ...(await firstTime(verifier, publicKey, fresh, rounds)),
    ]
  } finally {
    await verifier.close()
  }
}

/**
 * All sides look up the same tokens in strings that were made for the occasion: like a string out of a request, its hash
 * has not been computed yet. Making the strings is not part of any side.
 */
async function seenBefore(
  verifier: Verifier,
  publicKey: KeyObject,
  tokens: readonly string[],
  rounds: number,
): Promise<Row[]> {
  const bytes = tokens.map((token) => Buffer.from(token, 'latin1'))
  const map = new Map(tokens.map((token) => [token, { token }]))
  const set = new Set(tokens)
  const fastJwt = createFastJwt({ key: pem(publicKey), cache: 2 * SEEN_TOKENS })
  const revoked = new Set<string>()
  const against = `Map.get of a fresh string of ${tokens[0]?.length} bytes`
  const sides: readonly Side[] = [
    { what: against, decide: (token) => map.get(token) !== undefined },
    { what: 'Set.has of the token, and nothing else', decide: (token) => set.has(token) },
    { what: 'verify, seen before: lease and set', bar: { atMost: 3 }, decide: (token) => verifier.verify(token) },
    { what: 'fast-jwt with its cache, and a Set', decide: (token) => !revoked.has(fastJwt(bare(token)).jti) },
    { what: 'jose, which has no cache, and a Set', decide: joseDecides(publicKey, revoked) },
  ]
  return compared(sides, against, rounds, () => bytes.map((token) => token.toString('latin1')))
}

/** In every round each side verifies the same few new tokens, in turn. */
async function firstTime(
  verifier: Verifier,
  publicKey: KeyObject,
  all: readonly string[],
  rounds: number,
): Promise<Row[]> {
  const fastJwt = createFastJwt({ key: pem(publicKey) })
  const parts = new Map(all.map((token) => [token, signedParts(token)]))
  const against = 'raw crypto.verify, Ed25519'
  const raw = (token: string) => {
    const { signed, signature } = parts.get(token) ?? signedParts(token)
    return verify(null, signed, publicKey, signature)
  }
  const sides: readonly Side[] = [
    { what: against, decide: raw },
    { what: 'verify, first time', bar: { atMost: 1.15 }, decide: (token) => verifier.verify(token) },
    { what: 'fast-jwt, first time', decide: (token) => fastJwt(bare(token)) !== undefined },
    { what: 'jose, first time', decide: joseDecides(publicKey, new Set()) },
  ]
  const strings = (round: number) => {
    const from = (WARM_UP_ROUNDS + round) * NEW_TOKENS_PER_ROUND
    return all.slice(from, from + NEW_TOKENS_PER_ROUND)
  }
  return compared(sides, against, rounds, strings)
}

/** @param strings the tokens of a round, for one side */
async function compared(
  sides: readonly Side[],
  against: string,
  rounds: number,
  strings: (round: number) => readonly string[],
): Promise<Row[]> {
  const figures = new Map<Side, number[]>(sides.map((side) => [side, []]))
  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    for (const [side, eachMs] of figures) {
      const tokens = strings(round)
      const tookMs = await timeMs(tokens, side.decide)
      if (round >= 0) eachMs.push(tookMs / tokens.length)
    }
    await leaseRenewed()
  }
  const [theirs = []] = figures.values()
  return [...figures].map(([{ what, bar }, ours]) => ({
    what,
    figure: microseconds(ours),
    ...(what !== against && comparisonCells({ ours, theirs, against, ...(bar && { bar }) })),
  }))
}

/** Awaits what has to be awaited, and nothing else. */
async function timeMs(tokens: readonly string[], decide: Side['decide']): Promise<number> {
  const startedMs = performance.now()
  for (const token of tokens) {
    const deciding = decide(token)
    const decision = deciding instanceof Promise ? await deciding : deciding
    if (decision !== true && (decision === false || decision.status !== 'valid')) {
      throw new Error('A valid token was not accepted')
    }
  }
  return performance.now() - startedMs
}

function joseDecides(publicKey: KeyObject, revoked: ReadonlySet<string>): Side['decide'] {
  return async (token) => !revoked.has((await jwtVerify(bare(token), publicKey)).payload.jti ?? '')
}

function bare(token: string): string {
  return token.slice(PREFIX.length)
}

/** Lets this process hear what its verifier is sent. */
async function leaseRenewed(): Promise<void> {
  await setImmediate()
}

async function revokeSome(rescind: RescindProcess, supply: TokenSupply, verifier: Verifier): Promise<void> {
  const tokens = await supply.take(REVOKED_TOKENS)
  await drive({
    port: rescind.port,
    clients: REVOKING_CLIENTS,
    next: eachOnce(tokens.map(({ id }) => revokeRequest(rescind, id))),
    durationMs: Number.POSITIVE_INFINITY,
    expectedStatus: 201,
  })
  for (const { token } of tokens) {
    if ((await verifier.verify(token)).status !== 'rejected') throw new Error('A revoked token was not rejected')
  }
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

function microseconds(eachMs: readonly number[]): string {
  const value = median(eachMs) * 1000
  return `${value.toFixed(value < 10 ? 2 : 0)} µs`
}
