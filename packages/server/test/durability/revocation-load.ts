import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { ClientAnswer, HttpClient } from '../service/http-client.ts'
import type { Random } from './random.ts'
import type { StoredState, StoredToken } from './stored-state.ts'

/** A token whose 201 was received. */
interface IssuedToken {
  readonly token: string
  readonly id: string
  readonly jti: string
  readonly business: string
  readonly user: string
  readonly sentAt: number
  readonly answeredAt: number
}

/** Something that ends tokens: sent, and perhaps answered. */
interface Ending {
  readonly sentAt: number
  readonly business: string
  /** All of the business when absent. */
  readonly user?: string
  /** One token only. */
  readonly tokenId?: string
  readonly removal?: true
  answer?: { readonly revoked_at: string; readonly revoked_by: string; readonly revocation_reason: string | null }
}

interface Member {
  readonly id: string
  readonly email: string
}

interface Tenant {
  readonly id: string
  readonly ownerEmail: string
  members: Member[]
}

const UNAVAILABLE = 'UNAVAILABLE'

/**
 * Issues and revokes like many clients at once, and remembers what was asked and what was answered, so that what a
 * service holds after it died can be judged. Order is that of one counter, which every request and answer advances.
 */
export class RevocationLoad {
  readonly issued: IssuedToken[] = []
  readonly #endings: Ending[] = []
  readonly #tenants: Tenant[] = []
  readonly operatorToken: string
  readonly #random: Random
  #clock = 0
  #before: StoredState | undefined
  answers = 0
  /** Answers that were 503. */
  unavailable = 0
  /** Issued or revoked as the database says, with no answer that had said so. */
  unanswered = 0

  constructor(operatorToken: string, random: Random) {
    this.operatorToken = operatorToken
    this.#random = random
  }

  async createTenants(client: HttpClient, count: number, membersEach: number): Promise<void> {
    for (let each = 0; each < count; each++) {
      const tenant: Tenant = { id: randomUUID(), ownerEmail: `owner-${each}@example.com`, members: [] }
      await this.#ok(client, 'PUT', `/businesses/${tenant.id}`, tenant, { name: `Tenant ${each}` })
      const owner = { email: tenant.ownerEmail, role: 'owner' }
      await this.#ok(client, 'PUT', `/businesses/${tenant.id}/members/${randomUUID()}`, tenant, owner)
      for (let member = 0; member < membersEach; member++) await this.#addMember(client, tenant)
      this.#tenants.push(tenant)
    }
  }

  /** Keeps `width` requests in progress until the service is gone or answers 503. Resolves when every one of them has ended. */
  async run(client: HttpClient, width: number, onAnswer: () => void): Promise<void> {
    const counting: HttpClient = {
      close: () => client.close(),
      send: async (request) => {
        const answer = await client.send(request)
        this.answers += 1
        onAnswer()
        if (answer.status !== 503) return answer
        this.unavailable += 1
        throw Object.assign(new Error('The service answered 503.'), { code: UNAVAILABLE })
      },
    }
    const worker = async () => {
      for (;;) {
        const broken = await this.#step(counting).then(
          () => undefined,
          (error: NodeJS.ErrnoException) => error,
        )
        if (broken === undefined) continue
        if (broken.code === undefined || broken.code === 'ERR_ASSERTION') throw broken
        return
      }
    }
    await Promise.all(Array.from({ length: width }, worker))
  }

  #step(client: HttpClient): Promise<unknown> {
    const tenant = this.#random.pick(this.#tenants)
    const die = this.#random.below(100)
    if (die < 58 || this.issued.length === 0) return this.#issue(client, tenant)
    if (die < 91) return this.#revoke(client)
    const member = this.#random.pick(tenant.members)
    if (die < 95) return this.#bulk(client, tenant, member)
    if (die < 97) return this.#bulk(client, tenant, undefined)
    return this.#remove(client, tenant, member)
  }

  async #issue(client: HttpClient, tenant: Tenant): Promise<void> {
    const member = this.#random.pick(tenant.members)
    const sentAt = this.#tick()
    const answer = await this.#call(client, 'POST', '/tokens', tenant, { name: 'load' }, member.email)
    if (answer.status === 404) {
      // Removed while this was on its way.
      assert.ok(this.#endings.some(({ user, removal }) => removal === true && user === member.id))
      return
    }
    assert.equal(answer.status, 201, answer.text)
    const { token, token_info: info } = answer.json.data
    const answeredAt = this.#tick()
    const { id, jti } = info
    this.issued.push({ token, id, jti, business: tenant.id, user: member.id, sentAt, answeredAt })
  }

  async #revoke(client: HttpClient): Promise<void> {
    const token = this.#random.pick(this.issued)
    const tenant = this.#tenants.find(({ id }) => id === token.business)
    if (tenant === undefined) throw new Error('A token without a tenant')
    const ending: Ending = { sentAt: this.#tick(), business: token.business, tokenId: token.id }
    this.#endings.push(ending)
    const body = this.#random.below(2) === 0 ? { reason: `reason ${ending.sentAt}` } : {}
    const answer = await this.#call(client, 'POST', `/tokens/${token.id}/revoke`, tenant, body, tenant.ownerEmail)
    assert.equal(answer.status, 201, answer.text)
    ending.answer = answer.json.data
    this.#tick()
    const use = await client.send({
      method: 'GET',
      path: '/api/v1/tokens',
      token: token.token,
      business: token.business,
    })
    assert.equal(use.status, 401, 'a token whose revocation was answered was accepted')
  }

  async #bulk(client: HttpClient, tenant: Tenant, member: Member | undefined): Promise<void> {
    const ending: Ending = { sentAt: this.#tick(), business: tenant.id, ...(member && { user: member.id }) }
    this.#endings.push(ending)
    const path = `/businesses/${tenant.id}${member ? `/members/${member.id}` : ''}/revoke-tokens`
    const answer = await this.#call(client, 'POST', path, tenant, { reason: `bulk ${ending.sentAt}` })
    if (answer.status === 404 && member) return
    assert.equal(answer.status, 200, answer.text)
    ending.answer = answer.json.data
    this.#tick()
  }

  async #remove(client: HttpClient, tenant: Tenant, member: Member): Promise<void> {
    // Replaced before it goes, so that nobody finds a tenant without members.
    await this.#addMember(client, tenant)
    const ending: Ending = { sentAt: this.#tick(), business: tenant.id, user: member.id, removal: true }
    this.#endings.push(ending)
    tenant.members = tenant.members.filter(({ id }) => id !== member.id)
    const answer = await this.#call(client, 'DELETE', `/businesses/${tenant.id}/members/${member.id}`, tenant)
    if (answer.status === 404) return
    assert.equal(answer.status, 200, answer.text)
    ending.answer = { revoked_at: '', revoked_by: '', revocation_reason: null }
    this.#tick()
  }

  async #addMember(client: HttpClient, tenant: Tenant): Promise<void> {
    const id = randomUUID()
    const member = { id, email: `${id}@example.com` }
    const body = { email: member.email, role: 'member' }
    await this.#ok(client, 'PUT', `/businesses/${tenant.id}/members/${id}`, tenant, body)
    tenant.members = [...tenant.members, member]
  }

  /**
   * Compares what is stored with what was asked and answered.
   *
   * @returns the ids of the tokens that are dead
   */
  judge(state: StoredState): ReadonlySet<string> {
    const dead = new Set<string>()
    const known = new Map(this.issued.map((token) => [token.id, token]))
    for (const [id, stored] of state.tokens) if (stored.revokedSeq !== null) dead.add(id)
    for (const token of this.issued) {
      const stored = state.tokens.get(token.id)
      assert.ok(stored, 'an issued token is missing')
      assert.deepEqual([stored.jti, stored.businessId, stored.userId], [token.jti, token.business, token.user])
      this.#judgeToken(token, stored)
    }
    for (const { answer, removal, business, user } of this.#endings) {
      if (answer && removal) assert.ok(!state.members.has(`${business}/${user}`), 'a removed member is back')
    }
    this.#judgeHistory(state)
    this.unanswered += [...state.tokens.keys()].filter((id) => !known.has(id) && !this.#before?.tokens.has(id)).length
    this.#before = state
    return dead
  }

  #judgeToken(token: IssuedToken, stored: StoredToken): void {
    const covering = this.#endings.filter((ending) => covers(ending, token))
    const own = covering.find(({ tokenId, answer }) => tokenId !== undefined && answer !== undefined)?.answer
    if (own) {
      const { revokedAtMs, revokedBy, reason } = stored
      assert.deepEqual(
        [new Date(revokedAtMs ?? 0).toISOString(), revokedBy, reason],
        [own.revoked_at, own.revoked_by, own.revocation_reason],
        'an answered revocation is missing or was changed',
      )
    }
    if (covering.some(({ answer, sentAt }) => answer && sentAt > token.answeredAt)) {
      assert.notEqual(stored.revokedSeq, null, 'a token that was ended is alive')
    }
    if (covering.length === 0) assert.equal(stored.revokedSeq, null, 'a token that nobody ended is dead')
    if (stored.revokedSeq !== null && !covering.some(({ answer }) => answer)) this.unanswered += 1
  }

  /** Nothing that was true after an earlier death has changed. */
  #judgeHistory(state: StoredState): void {
    const before = this.#before
    if (before === undefined) return
    assert.deepEqual(state.entries.slice(0, before.entries.length), before.entries, 'the log was rewritten')
    for (const [id, then] of before.tokens) {
      const now = state.tokens.get(id)
      assert.ok(now)
      if (then.revokedSeq !== null) assert.deepEqual(now, then, 'a revocation was changed')
    }
  }

  async #ok(client: HttpClient, method: string, path: string, tenant: Tenant, json: unknown): Promise<void> {
    const answer = await this.#call(client, method, path, tenant, json)
    assert.equal(answer.status, 200, answer.text)
  }

  #call(
    client: HttpClient,
    method: string,
    path: string,
    tenant: Tenant,
    json?: unknown,
    as?: string,
  ): Promise<ClientAnswer> {
    return client.send({
      method,
      path: `/api/v1${path}`,
      token: this.operatorToken,
      business: tenant.id,
      ...(as !== undefined && { headers: { 'x-user-email': as } }),
      ...(json !== undefined && { json }),
    })
  }

  #tick(): number {
    this.#clock += 1
    return this.#clock
  }
}

function covers(ending: Ending, token: IssuedToken): boolean {
  if (ending.tokenId !== undefined) return ending.tokenId === token.id
  return ending.business === token.business && (ending.user ?? token.user) === token.user
}

/** Uses every token once: the living are accepted, the dead refused. */
export async function tryAll(
  client: HttpClient,
  tokens: readonly IssuedToken[],
  dead: ReadonlySet<string>,
): Promise<number> {
  const queue = tokens.values()
  const worker = async () => {
    for (const { id, token, business } of queue) {
      const { status } = await client.send({ method: 'GET', path: '/api/v1/tokens?limit=1', token, business })
      assert.equal(status, dead.has(id) ? 401 : 200, dead.has(id) ? 'a revoked token was accepted' : 'a token is lost')
    }
  }
  await Promise.all(Array.from({ length: 8 }, worker))
  return tokens.length
}
