import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { decodeBase64url } from '@rescind/protocol'
import { readDeclared } from '../service/declared-answers.ts'
import { type ClientAnswer, createHttpClient } from '../service/http-client.ts'
import { runService } from '../service/running-service.ts'
import { writeOffline } from './offline-writer.ts'
import { ATTEMPTS, CALLERS, effectOf } from './permission-attempts.ts'
import { type Attempt, expectedStatus, expectedVerdict, ROLES } from './permission-oracle.ts'
import { createWorld, requestOf, roleOf, tokenOf, type World } from './permission-world.ts'

/** Requests in flight at a time. */
const WIDTH = 24

const granted = ATTEMPTS.filter((attempt) => expectedStatus(attempt) < 300)
const refused = ATTEMPTS.filter((attempt) => expectedStatus(attempt) >= 400)
const reading = granted.filter(({ operation }) => effectOf(operation) === 'none')
const adding = granted.filter(({ operation }) => effectOf(operation) === 'adds')
const changing = granted.filter(({ operation }) => effectOf(operation) === 'changes')

const first = await runService({ after }, { maxActiveTokens: 1_000_000 })
await first.stop()
const seeded = await writeOffline(first.dataDir, async (write) => {
  const shared = await write(async (writer) => createWorld(writer, CALLERS, await writer.token('operator', [])))
  const own = new Map<Attempt, World>()
  await inParallel(changing, async (attempt) => {
    const { caller, operation } = attempt
    const ends = operation.name === 'revoke' && roleOf(caller) === null
    const world = await write(async (writer) => {
      const operatorsOwn = ends ? await writer.token('operator', []) : shared.operatorsOwn
      return createWorld(writer, caller.kind === 'member' ? [caller] : [], operatorsOwn)
    })
    own.set(attempt, caller.kind === 'member' ? world : { ...world, callerTokens: shared.callerTokens })
  })
  return { shared, own }
})
const service = await first.restart()
const client = createHttpClient(service.url)
after(() => client.close())
const declared = await readDeclared(service.url)
const { shared } = seeded

test('the table is complete', (t) => {
  // 9 sets of scopes × (4 roles + an operator for itself and for each role) × 3 headers × 96 operations on their targets.
  assert.equal(ATTEMPTS.length, 9 * 9 * 3 * 96)
  assert.equal(new Set(ATTEMPTS.map((attempt) => JSON.stringify(attempt))).size, ATTEMPTS.length)
  assert.equal(refused.length + reading.length + adding.length + changing.length, ATTEMPTS.length)
  t.diagnostic(`${ATTEMPTS.length} combinations: ${refused.length} refused, ${granted.length} granted`)
})

test('whoever may not do a thing is refused, whoever may only look sees what is theirs to see, and neither changes anything', async () => {
  const before = await visibleState()
  const [key] = before.keys
  const kids = { signing: key.kid, spare: () => key.kid }
  await inParallel([...refused, ...reading], async (attempt) => {
    const answer = await attemptIn(shared, attempt, kids)
    if (expectedStatus(attempt) < 300) assertSees(attempt, answer)
  })
  assert.deepEqual(await visibleState(), before)
})

test('whoever may do a thing does it, and it takes effect', async () => {
  await inParallel(changing, async (attempt) => {
    const world = seeded.own.get(attempt)
    assert.ok(world)
    await attemptIn(world, attempt, { signing: '', spare: () => '' })
    const { operation, caller } = attempt
    const dead = operation.name === 'revoke' ? tokenOf(world, roleOf(caller), operation.token) : undefined
    if (dead !== undefined) {
      const { status } = await client.send({ method: 'GET', path: '/api/v1/keys', token: dead.token })
      assert.equal(status, 401, describe(attempt))
    }
  })
})

test('whoever may add a thing adds it', async () => {
  const spare: string[] = []
  const [rotating, others] = [
    adding.filter(({ operation }) => operation.name === 'rotateKey'),
    adding.filter(({ operation }) => operation.name !== 'rotateKey'),
  ]
  // One after the other, so that each key but the last is one that no longer signs.
  for (const attempt of rotating) {
    spare.push((await attemptIn(shared, attempt, { signing: '', spare: () => '' })).json.data.kid)
  }
  spare.pop()
  const retiring = others.filter(({ operation }) => operation.name === 'retireKey')
  // The operator's own rotations make up for those that may retire but come without one.
  while (spare.length < retiring.length) {
    const extra = { method: 'POST', path: '/api/v1/keys/rotate', token: service.operatorToken }
    spare.push((await client.send(extra)).json.data.kid)
  }
  const last = (await client.send({ method: 'POST', path: '/api/v1/keys/rotate', token: service.operatorToken })).json
  assert.equal(last.code, 'KEY_ROTATED')
  await inParallel(others, async (attempt) => {
    await attemptIn(shared, attempt, { signing: '', spare: () => spare.pop() ?? '' })
  })
})

async function attemptIn(
  world: World,
  attempt: Attempt,
  kids: { signing: string; spare: () => string },
): Promise<ClientAnswer> {
  const request = requestOf(world, attempt, kids)
  const answer = await client.send(request)
  assert.equal(answer.status, expectedStatus(attempt), `${describe(attempt)}: ${answer.text}`)
  declared.check(request.method, request.path, answer)
  return answer
}

function assertSees(attempt: Attempt, { json }: ClientAnswer): void {
  const { operation, caller } = attempt
  const role = roleOf(caller)
  if (operation.name === 'verify') {
    const valid = expectedVerdict(attempt, operation.token, operation.business)
    assert.equal(json.data.status, valid ? 'valid' : 'rejected', describe(attempt))
  } else if (operation.name === 'show') {
    assert.equal(json.data.id, tokenOf(shared, role, operation.token)?.id, describe(attempt))
  } else if (operation.name === 'list') {
    const seen = json.data.items.map(({ id }: { id: string }) => id)
    const expected = tokensIn(attempt, operation.of)
    assert.deepEqual(seen.toSorted(), expected.toSorted(), describe(attempt))
  }
}

/** Ids of the tokens that a list has. */
function tokensIn({ caller }: Attempt, of: string): string[] {
  const role = roleOf(caller)
  const { mateToken, ownTokens, callerTokens } = shared
  const heldBy = (wanted: (each: (typeof CALLERS)[number]) => boolean) =>
    CALLERS.filter(wanted).map((each) => callerTokens.get(each)?.id ?? '')
  if (of === 'mate') return [mateToken.id]
  if (of === 'everyone') {
    return [mateToken.id, ...ROLES.map((each) => ownTokens[each].id), ...heldBy(({ kind }) => kind === 'member')]
  }
  if (role !== null) {
    return [ownTokens[role].id, ...heldBy((each) => each.kind === 'member' && each.role === role)]
  }
  const operators = new Set([shared, ...seeded.own.values()].map(({ operatorsOwn }) => operatorsOwn.id))
  return [claimsOf(service.operatorToken).client_id, ...operators, ...heldBy(({ kind }) => kind === 'operator')]
}

function claimsOf(token: string) {
  return JSON.parse(`${decodeBase64url(token.split('.')[1] ?? '')}`)
}

/** Everything the API shows of the shared world. */
async function visibleState() {
  const { home, away, mates, selves, stranger, unknownId, operatorUserId } = shared
  const get = async (path: string, headers: Record<string, string> = {}, business?: string) => {
    const request = { method: 'GET', path, token: service.operatorToken, headers, ...(business && { business }) }
    return (await client.send(request)).json
  }
  const tokens = async (business?: string, email?: string) => {
    const headers = email === undefined ? {} : { 'x-user-email': email }
    const everyone = email === undefined ? '' : '&all=true'
    const path = `/api/v1/tokens?include_revoked=true&limit=1000&include_total_count=true${everyone}`
    const { items, total } = (await get(path, headers, business)).data
    // The one thing that looking changes.
    return { total, items: items.map(({ last_used_at: _, ...item }: { last_used_at: unknown }) => item) }
  }
  const members = [...Object.values(mates), ...Object.values(selves)].map(({ userId }) => userId)
  return {
    keys: (await get('/api/v1/keys')).data.items,
    businesses: await Promise.all([home, away, unknownId].map((id) => get(`/api/v1/businesses/${id}`))),
    members: await Promise.all([
      ...[...members, unknownId, operatorUserId].map((id) => get(`/api/v1/businesses/${home}/members/${id}`)),
      get(`/api/v1/businesses/${away}/members/${stranger.userId}`),
    ]),
    home: await tokens(home, mates.owner.email),
    away: await tokens(away, stranger.email),
    operators: await tokens(),
  }
}

async function inParallel<T>(items: readonly T[], each: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values()
  const worker = async () => {
    for (const item of queue) await each(item)
  }
  await Promise.all(Array.from({ length: WIDTH }, worker))
}

function describe({ caller, header, operation }: Attempt): string {
  return `${JSON.stringify(caller)}, header ${header}, ${JSON.stringify(operation)}`
}
