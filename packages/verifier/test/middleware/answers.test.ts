import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Refusal } from '../../middleware/express.ts'
import { NOW_SEC } from '../mint.ts'
import { APPLICATIONS } from './applications.ts'
import { type Answered, ask } from './ask.ts'
import { BUSINESS_ID, type TokenWorld, tokenWorld, USER_ID } from './token-world.ts'

const CHALLENGE = 'www-authenticate: Bearer realm="rescind"'

const NO_CREDENTIAL = refused(401, '{"detail":"Not authenticated"}', CHALLENGE)
const INVALID_TOKEN = refused(401, '{"detail":"Not authenticated"}', `${CHALLENGE}, error="invalid_token"`)
const OTHER_BUSINESS = refused(403, '{"detail":"The token does not belong to this business"}')
const SCOPE_MISSING = refused(403, '{"detail":"The token does not permit this"}')
const UNDECIDED = refused(503, '{"detail":"This node may not decide at the moment; retry"}', 'retry-after: 1')

interface Case {
  readonly what: string
  readonly authorization: (world: TokenWorld) => readonly string[]
  /** `x-business-id`; that of the token unless given, `null` for none. */
  readonly business?: string | null
  readonly lapsed?: true
  /** Of a refused request. */
  readonly answer?: Answered
  readonly told?: Pick<Refusal, 'reason'> & { readonly token?: true }
  /** What is told where several headers are one by the time they can be seen. */
  readonly joined?: Refusal['reason']
}

const CASES: readonly Case[] = [
  { what: 'a valid token', authorization: (w) => [`Bearer ${w.good}`] },
  { what: 'a valid token behind a lower-case scheme', authorization: (w) => [`bearer ${w.good}`] },
  { what: 'a business in upper case', authorization: (w) => [`Bearer ${w.good}`], business: BUSINESS_ID.toUpperCase() },
  { what: 'no credential', authorization: () => [], answer: NO_CREDENTIAL, told: { reason: 'no_credential' } },
  { what: 'an empty credential', authorization: () => [''], answer: NO_CREDENTIAL, told: { reason: 'no_credential' } },
  {
    what: 'no credential while nothing can be decided',
    authorization: () => [],
    lapsed: true,
    answer: NO_CREDENTIAL,
    told: { reason: 'no_credential' },
  },
  refusal('a malformed token', () => ['Bearer dz_no.token'], 'malformed'),
  refusal('a scheme twice', (w) => [`Bearer Bearer ${w.good}`], 'malformed'),
  refusal('another scheme', (w) => [`Basic ${w.good}`], 'not_bearer'),
  refusal('a scheme alone', () => ['Bearer'], 'not_bearer'),
  refusal('a token without a scheme', (w) => [w.good], 'not_bearer'),
  refusal('a forged token', (w) => [`Bearer ${w.forged}`], 'bad_signature'),
  {
    ...refusal('a revoked token', (w) => [`Bearer ${w.revoked}`], 'revoked'),
    told: { reason: 'revoked', token: true },
  },
  {
    ...refusal('an expired token', (w) => [`Bearer ${w.expired}`], 'expired'),
    told: { reason: 'expired', token: true },
  },
  {
    ...refusal('a revoked token and another business', (w) => [`Bearer ${w.revoked}`], 'revoked'),
    business: null,
    told: { reason: 'revoked', token: true },
  },
  {
    ...refusal('two valid headers', (w) => [`Bearer ${w.good}`, `Bearer ${w.good}`], 'several_credentials'),
    joined: 'malformed',
  },
  {
    ...refusal('a valid header before an empty one', (w) => [`Bearer ${w.good}`, ''], 'several_credentials'),
    joined: 'malformed',
  },
  {
    ...refusal('a valid header after an empty one', (w) => ['', `Bearer ${w.good}`], 'several_credentials'),
    joined: 'not_bearer',
  },
  {
    what: 'a token of another business',
    authorization: (w) => [`Bearer ${w.elsewhere}`],
    answer: OTHER_BUSINESS,
    told: { reason: 'wrong_business', token: true },
  },
  {
    what: 'a token of no business',
    authorization: (w) => [`Bearer ${w.operators}`],
    answer: OTHER_BUSINESS,
    told: { reason: 'wrong_business', token: true },
  },
  {
    what: 'a token of no business for none',
    authorization: (w) => [`Bearer ${w.operators}`],
    business: null,
    answer: OTHER_BUSINESS,
    told: { reason: 'wrong_business', token: true },
  },
  {
    what: 'a valid token for no business',
    authorization: (w) => [`Bearer ${w.good}`],
    business: null,
    answer: OTHER_BUSINESS,
    told: { reason: 'wrong_business', token: true },
  },
  {
    what: 'a token without the scope',
    authorization: (w) => [`Bearer ${w.scopeless}`],
    answer: SCOPE_MISSING,
    told: { reason: 'insufficient_scope', token: true },
  },
  {
    what: 'a token of another business without the scope',
    authorization: (w) => [`Bearer ${w.stray}`],
    answer: OTHER_BUSINESS,
    told: { reason: 'wrong_business', token: true },
  },
  {
    what: 'a valid token while nothing can be decided',
    authorization: (w) => [`Bearer ${w.good}`],
    lapsed: true,
    answer: UNDECIDED,
    told: { reason: 'lapsed' },
  },
]

for (const [name, start] of Object.entries(APPLICATIONS)) {
  for (const { what, authorization, business = BUSINESS_ID, lapsed = false, answer, told, joined } of CASES) {
    test(`${name}: ${what} ${answer === undefined ? 'lets the request in' : `is answered with ${answer.status}`}`, async (t) => {
      const world = tokenWorld()
      const refusals: Refusal[] = []
      let handled = 0
      const url = await start(t, {
        verifier: world.verifier,
        scopes: ['reports:read'],
        businessId: (header) => header('x-business-id'),
        onRefused: (refusal) => refusals.push(refusal),
        handle: (token) => {
          handled += 1
          return token.userId
        },
      })
      world.state.leased = !lapsed
      const headers = business === null ? {} : { 'x-business-id': business }
      const get = await ask(url, authorization(world), { headers })
      const head = await ask(url, authorization(world), { method: 'HEAD', headers })
      if (answer === undefined) {
        assert.deepEqual([get.status, get.body, head.status, head.body], [200, USER_ID, 200, ''])
        assert.deepEqual([handled, refusals], [2, []])
        return
      }
      assert.deepEqual(get, answer)
      assert.deepEqual(head, { ...answer, body: '', headers: headHeaders(name, answer) })
      const refusal = {
        status: answer.status,
        reason: (name === 'hono' && joined) || told?.reason,
        ...(told?.token && { tokenId: world.tokenId }),
      }
      assert.deepEqual([handled, refusals], [0, [refusal, refusal]])
    })
  }

  test(`${name}: a token is refused from the moment of its revocation or its end`, async (t) => {
    const world = tokenWorld()
    const url = await start(t, { verifier: world.verifier, handle: ({ userId }) => userId })
    const authorization = [`Bearer ${world.good}`]
    assert.equal((await ask(url, authorization)).status, 200)
    world.state.nowMs = (NOW_SEC + 3600) * 1000
    assert.deepEqual(await ask(url, authorization), INVALID_TOKEN)
    world.state.nowMs = NOW_SEC * 1000
    assert.equal((await ask(url, authorization)).status, 200)
    world.state.log({ kind: 'token_revoked', idx: 0 })
    assert.deepEqual(await ask(url, authorization), INVALID_TOKEN)
  })

  test(`${name}: without requirements every valid token is let in, also one of no business`, async (t) => {
    const world = tokenWorld()
    const url = await start(t, { verifier: world.verifier, handle: ({ userId }) => userId })
    for (const token of [world.good, world.scopeless, world.elsewhere, world.operators]) {
      assert.equal((await ask(url, [`Bearer ${token}`])).body, USER_ID)
    }
  })

  test(`${name}: one business may be demanded of all requests`, async (t) => {
    const world = tokenWorld()
    const url = await start(t, {
      verifier: world.verifier,
      businessId: BUSINESS_ID,
      handle: ({ userId }) => userId,
    })
    assert.equal((await ask(url, [`Bearer ${world.good}`])).status, 200)
    assert.deepEqual(await ask(url, [`Bearer ${world.elsewhere}`]), OTHER_BUSINESS)
  })

  test(`${name}: a verifier that had to ask and does not reach the token has it answered with 403`, async (t) => {
    for (const [reason, answer] of [
      ['wrong_business', OTHER_BUSINESS],
      ['insufficient_scope', SCOPE_MISSING],
    ] as const) {
      const url = await start(t, {
        verifier: { verify: async () => ({ status: 'rejected', reason }) },
        handle: ({ userId }) => userId,
      })
      assert.deepEqual(await ask(url, ['Bearer dz_a.b.c']), answer)
    }
  })

  test(`${name}: what a handler does to its token changes nothing for the next request`, async (t) => {
    const world = tokenWorld()
    let tampered = 0
    const url = await start(t, {
      verifier: world.verifier,
      handle: (token) => {
        assert.throws(() => Object.assign(token, { userId: 'someone else' }))
        assert.throws(() => Object.assign(token.scopes, ['operator']))
        tampered += 1
        return `${token.userId} ${token.scopes}`
      },
    })
    for (const times of [1, 2]) {
      assert.equal((await ask(url, [`Bearer ${world.good}`])).body, `${USER_ID} reports:read`)
      assert.equal(tampered, times)
    }
  })
}

function refused(status: number, body: string, ...more: readonly string[]): Answered {
  const length = `content-length: ${Buffer.byteLength(body)}`
  return {
    status,
    headers: ['content-type: application/json', 'cache-control: no-store', length, ...more].sort(),
    body,
  }
}

/** Answered with 401 for a credential that was presented. */
function refusal(what: string, authorization: Case['authorization'], reason: Refusal['reason']): Case {
  return { what, authorization, answer: INVALID_TOKEN, told: { reason } }
}

/** Hono makes the answer to a HEAD anew, without the length. */
function headHeaders(name: string, { headers }: Answered): readonly string[] {
  return name === 'hono' ? headers.filter((line) => !line.startsWith('content-length')) : headers
}
