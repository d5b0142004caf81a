import { randomUUID } from 'node:crypto'
import type { ClientAnswer, HttpClient } from '../service/http-client.ts'
import { encodeRequest, type RawAnswer, type RawRequest, sendRaw } from '../service/raw-http.ts'

const BIG = 70_000

/** Sends a token to every place a client could put one. */
export class CanarySpread {
  readonly answers: (ClientAnswer | RawAnswer)[] = []
  /** Tokens that came into being on the way, whose one legitimate answer is left out of {@link answers}. */
  readonly issued: string[] = []
  readonly #url: string
  readonly #client: HttpClient
  readonly #businessId: string
  readonly #callers: readonly { token: string; business: string }[]

  constructor(
    url: string,
    client: HttpClient,
    printed: { businessId: string; ownerToken: string; operatorToken: string },
  ) {
    this.#url = url
    this.#client = client
    this.#businessId = printed.businessId
    this.#callers = [printed.ownerToken, printed.operatorToken].map((token) => ({
      token,
      business: printed.businessId,
    }))
  }

  async everywhere(canary: string, tokenId: string): Promise<void> {
    await this.#inCredentials(canary)
    for (const caller of this.#callers) {
      await this.#inBodies(caller, canary, tokenId)
      await this.#inPathsAndQueries(caller, canary)
      await this.#inHeaders(caller, canary, tokenId)
    }
  }

  async #inCredentials(canary: string): Promise<void> {
    const values: (readonly (string | Uint8Array)[])[] = [
      [canary],
      [`Basic ${Buffer.from(`user:${canary}`).toString('base64')}`],
      [`Basic ${canary}`],
      [`Token ${canary}`],
      [`Bearer ${canary}x`],
      [`Bearer ${canary}.${canary}`],
      [`Bearer ${canary} ${canary}`],
      [`Bearer ${canary.slice(3)}`],
      [`Bearer ${canary}`, `Bearer ${canary}`],
      [`Bearer ${canary}`, 'Basic eDp5'],
      [`Bearer ${canary},Bearer ${canary}`],
      [`Bearer ${'A'.repeat(9000)}${canary}`],
      [`Bearer ${'A'.repeat(17_000)}${canary}`],
      [Buffer.concat([Buffer.from(`Bearer ${canary}`), Buffer.from([0xff, 0xfe])])],
      [`Bearer ${canary}\0`],
    ]
    for (const authorization of values) {
      await this.#raw({
        method: 'GET',
        path: '/api/v1/tokens',
        authorization,
        headers: { 'x-business-id': this.#businessId },
      })
    }
    await sendRaw(this.#url, Buffer.from(`${canary}\r\n\r\n`)).then((answers) => this.answers.push(...answers))
    await sendRaw(this.#url, Buffer.from(`GET /${canary} HTTP/9.9\r\n\r\n`)).then((answers) =>
      this.answers.push(...answers),
    )
    await sendRaw(this.#url, Buffer.from(`GET / HTTP/1.1\r\n${canary}\r\n\r\n`)).then((answers) =>
      this.answers.push(...answers),
    )
  }

  async #inBodies(caller: Caller, canary: string, tokenId: string): Promise<void> {
    const business = `/api/v1/businesses/${this.#businessId}`
    const unknown = `/api/v1/businesses/${randomUUID()}`
    const user = randomUUID()
    const bodies: (readonly [string, string, unknown])[] = [
      ['POST', '/api/v1/tokens', { name: 'x', description: `see ${canary}.`, [canary]: canary }],
      ['POST', '/api/v1/tokens', { name: 'x', description: canary }],
      ['POST', '/api/v1/tokens', { name: canary, description: `see ${canary}.`, [canary]: canary }],
      ['POST', '/api/v1/tokens', { name: `x${canary}y`, description: `${canary}${canary}` }],
      ['POST', '/api/v1/tokens', { name: [canary], description: { canary }, expires_in_days: canary }],
      ['POST', '/api/v1/tokens', { name: canary.repeat(3) }],
      ['POST', '/api/v1/tokens', { name: 'x', scopes: [canary, canary.slice(0, 60).toLowerCase()] }],
      ['POST', '/api/v1/tokens', { name: 'x', scopes: canary }],
      ['POST', '/api/v1/tokens', canary],
      ['POST', '/api/v1/tokens', [canary]],
      ['POST', `/api/v1/tokens/${tokenId}/revoke`, { reason: { deep: [canary] } }],
      ['POST', `/api/v1/tokens/${randomUUID()}/revoke`, { reason: canary }],
      ['POST', '/api/v1/tokens/verify', { token: canary }],
      ['POST', '/api/v1/tokens/verify', { token: canary, business_id: canary, scopes: [canary] }],
      ['POST', '/api/v1/tokens/verify', { token: canary, scopes: [canary] }],
      ['POST', '/api/v1/tokens/verify', { token: [canary], [canary]: 1 }],
      ['PUT', business, { name: canary }],
      ['PUT', business, { name: { canary } }],
      ['PUT', unknown, { name: `see ${canary}` }],
      ['PUT', `${business}/members/${user}`, { email: `${canary}@example.com`, role: 'viewer' }],
      ['PUT', `${business}/members/${user}`, { email: `a@${canary}`, role: 'viewer' }],
      ['PUT', `${business}/members/${user}`, { email: canary, role: canary }],
      ['PUT', `${business}/members/${user}`, { email: 'owner@localhost', role: 'viewer', [canary]: canary }],
      ['DELETE', `${business}/members/${randomUUID()}`, { [canary]: canary }],
      ['POST', `${business}/members/${user}/revoke-tokens`, { reason: `leaked: ${canary}` }],
      ['POST', `${business}/members/${user}/revoke-tokens`, { reason: canary.repeat(9) }],
      ['POST', `${unknown}/revoke-tokens`, { reason: canary }],
      ['POST', '/api/v1/keys/rotate', { alg: canary }],
    ]
    for (const [method, path, json] of bodies) await this.#send({ method, path, json, ...caller })
    const doomed = await this.#send({ method: 'POST', path: '/api/v1/tokens', json: { name: 'doomed' }, ...caller })
    if (doomed !== undefined) {
      const path = `/api/v1/tokens/${doomed}/revoke`
      await this.#send({ method: 'POST', path, json: { reason: `found ${canary} in a repository` }, ...caller })
      await this.#send({ method: 'GET', path: `/api/v1/tokens/${doomed}`, ...caller })
    }
    const texts = [
      `{"name":"${canary}"`,
      `{"name":${canary}}`,
      canary,
      `{"name":"${canary}","expires_in_days":NaN}`,
      `${'['.repeat(80)}"${canary}"${']'.repeat(80)}`,
      JSON.stringify({ name: canary, pad: 'x'.repeat(BIG) }),
      `\ufeff"${canary}"`,
    ]
    for (const body of texts) {
      for (const type of [
        'application/json',
        'text/plain',
        'application/x-www-form-urlencoded',
        `text/${canary.slice(3, 90)}`,
      ]) {
        const headers = { 'content-type': type }
        await this.#send({ method: 'POST', path: '/api/v1/tokens', body, headers, ...caller })
        await this.#send({
          method: 'POST',
          path: `/api/v1/tokens/${tokenId}/revoke`,
          body: body === '' ? 'x' : `[${body}`,
          headers,
          ...caller,
        })
      }
    }
    const bytes = Buffer.concat([Buffer.from(`{"name":"${canary}`), Buffer.from([0xff]), Buffer.from('"}')])
    await this.#send({
      method: 'POST',
      path: '/api/v1/tokens',
      body: bytes,
      headers: { 'content-type': 'application/json' },
      ...caller,
    })
  }

  async #inPathsAndQueries(caller: Caller, canary: string): Promise<void> {
    const paths = [
      `/${canary}`,
      `/api/v1/${canary}`,
      `/api/v1/tokens/${canary}`,
      `/api/v1/tokens/${canary}/revoke`,
      `/api/v1/businesses/${canary}`,
      `/api/v1/businesses/${this.#businessId}/members/${canary}`,
      `/api/v1/keys/${canary}/retire`,
      `/api/v1/keys/${canary.split('.')[2]}/retire`,
      `/docs/${canary}`,
      `/docs?${canary}`,
      `/health/live?token=${canary}`,
      `/openapi.json?${canary}`,
      `/.well-known/jwks.json?access_token=${canary}`,
      `/api/v1/tokens?access_token=${canary}&${canary}=1`,
      `/api/v1/tokens?cursor=${canary}`,
      `/api/v1/tokens?limit=${canary}&sort_by=${canary}&direction=${canary}&descending=${canary}`,
      `/api/v1/tokens?user_email=${canary}`,
      `/api/v1/tokens#${canary}`,
      `//${canary}@host/`,
      `/%${canary}`,
    ]
    for (const path of paths)
      for (const method of ['GET', 'POST', 'PUT', 'DELETE']) await this.#send({ method, path, ...caller })
    await this.#raw({ method: canary.slice(0, 20), path: '/api/v1/tokens' })
    await this.#raw({ method: 'OPTIONS', path: `/api/v1/tokens/${canary}` })
  }

  async #inHeaders(caller: Caller, canary: string, tokenId: string): Promise<void> {
    const names = [
      'x-user-email',
      'x-request-id',
      'x-business-id',
      'cookie',
      'user-agent',
      'referer',
      'x-forwarded-for',
      'accept',
      'expect',
      'content-type',
      'host',
      'traceparent',
    ]
    for (const name of names) {
      for (const value of [canary, `me+${canary}@example.com`]) {
        const headers = { [name]: value }
        await this.#send({ method: 'GET', path: '/api/v1/tokens', ...caller, headers })
        await this.#send({
          method: 'POST',
          path: `/api/v1/tokens/${tokenId}/revoke`,
          ...caller,
          headers,
          body: '{"reason":1}',
        })
        await this.#send({
          method: 'PUT',
          path: `/api/v1/businesses/${randomUUID()}`,
          ...caller,
          headers,
          json: { name: 'x' },
        })
        await this.#send({
          method: 'PUT',
          path: `/api/v1/businesses/${this.#businessId}/members/${randomUUID()}`,
          ...caller,
          headers,
          json: { email: `${randomUUID()}@example.com`, role: 'viewer' },
        })
      }
    }
    await this.#send({
      method: 'GET',
      path: '/api/v1/tokens',
      token: caller.token,
      headers: { [`x-${canary.slice(3, 60)}`]: '1' },
    })
  }

  /** @returns the id of a token that was issued */
  async #send(request: Parameters<HttpClient['send']>[0]): Promise<string | undefined> {
    const answer = await this.#client.send(request)
    const token = answer.json?.data?.token
    if (typeof token !== 'string') {
      this.answers.push(answer)
      return undefined
    }
    this.issued.push(token)
    const { token: _shown, ...rest } = answer.json.data
    this.answers.push({ ...answer, text: JSON.stringify(rest), json: rest })
    const { id } = rest.token_info
    // Makes room for the next one.
    const { token: caller, business } = request
    if (request.json && typeof request.json === 'object' && 'name' in request.json && request.json.name === 'doomed')
      return id
    const path = `/api/v1/tokens/${id}/revoke`
    this.answers.push(
      await this.#client.send({
        method: 'POST',
        path,
        ...(caller && { token: caller }),
        ...(business && { business }),
      }),
    )
    return undefined
  }

  async #raw(request: RawRequest): Promise<void> {
    this.answers.push(...(await sendRaw(this.#url, encodeRequest(request, true))))
  }
}

interface Caller {
  readonly token: string
  readonly business: string
}
