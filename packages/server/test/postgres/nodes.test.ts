import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { databaseForTests } from '../../../../postgres/database-for-tests.ts'
import { startService } from '../../server.ts'
import { attach } from '../feed/attached.ts'
import { addBusiness, addMember, assertAlive, expect, issueTo, saveMember } from '../service/provisioning.ts'
import { type RunningService, runService, temporaryFolder, testConfig } from '../service/running-service.ts'
import { printedTokens, runProgram, serve } from '../service/service-process.ts'
import { numbers } from '../storage/fixtures.ts'
import { PostgresSchema } from '../storage/postgres-schema.ts'

const { url = '', skip } = await databaseForTests()

/** Long enough that nothing in a test waits for the end of a lease. */
const NEVER_ENDING = { leaseSeconds: 300 }

describe('services on one PostgreSQL database', { skip, timeout: 120_000 }, () => {
  async function cluster(t: TestContext, count: number, changes: Parameters<RunningService['beside']>[0] = {}) {
    const schema = new PostgresSchema(t, url)
    const config = { ...NEVER_ENDING, databaseUrl: url, databaseSchema: schema.name, databasePoolSize: 3, ...changes }
    // The services are stopped before the schema is dropped.
    const ended: (() => Promise<unknown>)[] = []
    const first = await runService({ after: (end) => ended.push(end) }, config)
    t.after(async () => {
      for (const end of ended) await end()
    })
    const nodes = [first, ...(await Promise.all(numbers(count - 1).map(() => first.beside())))]
    const present = async () => (await schema.query('SELECT 1 FROM nodes WHERE left_at_ms IS NULL')).length
    return { schema, present, first, nodes, node: (at: number) => nodes[at % count] as RunningService }
  }

  function waited({ headers }: { readonly headers: Headers }) {
    return { applied: headers.get('rescind-applied'), waitedOut: headers.get('rescind-waited-out') }
  }

  for (const databaseListen of [true, false]) {
    test(`a token that is revoked at one is dead at each other once that is answered, notifications ${databaseListen ? 'on' : 'off'}`, async (t) => {
      const { first, nodes, node } = await cluster(t, 3, { databaseListen })
      const holder = await addMember(first, 'member')
      for (const round of numbers(databaseListen ? 40 : 6)) {
        const token = await issueTo(node(round), holder)
        await Promise.all(nodes.map((each) => assertAlive(each, token, true)))
        const answer = expect(201, await node(round + 1).call('POST', `/api/v1/tokens/${token.id}/revoke`))
        await Promise.all(nodes.map((each) => assertAlive(each, token, false)))
        assert.deepEqual(waited(answer), { applied: '2', waitedOut: '0' })
      }
    })
  }

  test('tokens that are revoked at all of them at once are dead at all of them', async (t) => {
    const { first, nodes, node } = await cluster(t, 3, { maxActiveTokens: 1000 })
    const holder = await addMember(first, 'member')
    const tokens = await Promise.all(numbers(60).map((i) => issueTo(node(i), holder)))
    await Promise.all(
      tokens.map(async (token, i) => {
        expect(201, await node(i).call('POST', `/api/v1/tokens/${token.id}/revoke`))
        await assertAlive(node(i + 1), token, false)
        await assertAlive(node(i + 2), token, false)
      }),
    )
    for (const each of nodes) for (const token of tokens) await assertAlive(each, token, false)
  })

  test('of many revocations of one token, at all of them, exactly one is the first, and all tell its data', async (t) => {
    const { first, node } = await cluster(t, 3)
    const { id } = await issueTo(first, await addMember(first, 'member'))
    const answers = await Promise.all(
      numbers(30).map((i) => node(i).call('POST', `/api/v1/tokens/${id}/revoke`, { json: { reason: `reason ${i}` } })),
    )
    for (const answer of answers) expect(201, answer)
    assert.equal(answers.filter(({ json }) => json.code === 'TOKEN_REVOKED').length, 1)
    for (const { json } of answers) assert.deepEqual(json.data, answers[0]?.json.data)
  })

  test('what ends the tokens of a member, of a business or of a key at one ends them at each other', async (t) => {
    const { first, node } = await cluster(t, 2)
    const { operatorToken } = first
    const asOperator = { token: operatorToken, business: null }
    const businessId = await addBusiness(first)
    const holder = await addMember(first, 'member', businessId)
    for (const path of [`/${businessId}/members/${holder.userId}/revoke-tokens`, `/${businessId}/revoke-tokens`]) {
      const token = await issueTo(node(0), holder)
      await assertAlive(node(1), token, true)
      expect(200, await node(0).call('POST', `/api/v1/businesses${path}`, asOperator))
      await assertAlive(node(1), token, false)
    }
    const token = await issueTo(node(0), holder)
    const [{ kid: old }] = expect(200, await node(1).call('GET', '/api/v1/keys', asOperator)).json.data.items
    expect(200, await node(1).call('POST', '/api/v1/keys/rotate', asOperator))
    // The key is signed with, and known, wherever it was added.
    const fresh = await issueTo(node(0), holder)
    await assertAlive(node(1), fresh, true)
    const successor = await issueOperators(node(0))
    await assertAlive(node(1), token, true)
    const retired = await node(1).call('POST', `/api/v1/keys/${old}/retire`, { token: successor, business: null })
    expect(200, retired)
    await assertAlive(node(0), token, false)
    assert.ok(fresh.token.split('.')[0] !== token.token.split('.')[0], 'another key signs')
  })

  async function issueOperators({ call, operatorToken }: RunningService): Promise<string> {
    const json = { name: 'an operator', scopes: ['operator'] }
    return expect(201, await call('POST', '/api/v1/tokens', { token: operatorToken, business: null, json })).json.data
      .token
  }

  test('a role that is changed, and a member who is removed, at one is so at each other at once', async (t) => {
    const { first, node } = await cluster(t, 2)
    const holder = await addMember(first, 'viewer')
    const viewers = await issueTo(first, holder)
    const issueMore = (token: string) => node(1).call('POST', '/api/v1/tokens', { token, json: { name: 'more' } })
    expect(403, await issueMore(viewers.token))
    expect(200, await saveMember(node(0), { ...holder, role: 'owner' }))
    const owners = await issueTo(node(1), holder)
    expect(201, await issueMore(owners.token))
    expect(200, await saveMember(node(0), { ...holder, role: 'viewer' }))
    expect(401, await issueMore(owners.token))
    await assertAlive(node(1), viewers, true)
    const path = `/api/v1/businesses/${holder.businessId}/members/${holder.userId}`
    expect(200, await node(0).call('DELETE', path, { token: first.operatorToken, business: null }))
    await assertAlive(node(1), viewers, false)
  })

  test('a quota holds over all of them', async (t) => {
    const { first, node } = await cluster(t, 3)
    const holder = await addMember(first, 'member')
    const answers = await Promise.all(
      numbers(45).map((i) =>
        node(i).call('POST', '/api/v1/tokens', {
          token: first.operatorToken,
          headers: { 'x-user-email': holder.email },
          json: { name: 'one of ten' },
        }),
      ),
    )
    assert.equal(answers.filter(({ status }) => status === 201).length, 10)
    assert.equal(answers.filter(({ status }) => status === 400).length, 35)
  })

  test('a verifier that is attached to one has applied what is revoked at another once that is answered', async (t) => {
    const { first, node } = await cluster(t, 2)
    const holder = await addMember(first, 'member')
    const verifiers = await Promise.all(numbers(4).map((i) => attach(t, node(i).url, first.operatorToken)))
    for (const round of numbers(10)) {
      const token = await issueTo(node(round), holder)
      for (const { verify } of verifiers) assert.equal(verify(token.token).status, 'valid')
      const answer = expect(201, await node(round).call('POST', `/api/v1/tokens/${token.id}/revoke`))
      for (const { verify } of verifiers) assert.equal(verify(token.token).status, 'rejected')
      assert.deepEqual(waited(answer).waitedOut, '0')
    }
  })

  test('what is used at one is seen at another', async (t) => {
    const { first, node } = await cluster(t, 2)
    const token = await issueTo(first, await addMember(first, 'member'))
    await assertAlive(node(1), token, true)
    await node(1).stop()
    const { json } = expect(200, await node(0).call('GET', `/api/v1/tokens/${token.id}`))
    assert.notEqual(json.data.last_used_at, null)
  })

  test('each is a member while it runs; nobody waits for one that has left', async (t) => {
    const { present, first, node } = await cluster(t, 3)
    assert.equal(await present(), 3)
    const token = await issueTo(first, await addMember(first, 'member'))
    await node(1).stop()
    assert.equal(await present(), 2)
    const answer = expect(201, await node(0).call('POST', `/api/v1/tokens/${token.id}/revoke`))
    assert.deepEqual(waited(answer), { applied: '1', waitedOut: '0' })
    await node(2).stop()
    await node(0).stop()
    assert.equal(await present(), 0)
  })

  test('one with verifiers that stops in order in a time long enough for their leases is waited for until those have ended', async (t) => {
    const { first, stopped, target, present } = await stopWithVerifier(t, { shutdownSeconds: 60 })
    const { applied, waitedOut } = waited(await revoke(first, target.token.id))
    assert.equal(
      Number(applied) + Number(waitedOut),
      1,
      'who leaves once it has reported is counted as the one or the other',
    )
    assert.notEqual(target.verify(target.token.token).status, 'valid')
    await stopped
    assert.equal(await present(), 1)
    const { id } = await issueOwn(first)
    assert.deepEqual(waited(await revoke(first, id)), { applied: '0', waitedOut: '0' })
  })

  test('one with verifiers that stops in order in a time too short for their leases is waited for as one that was killed', async (t) => {
    const { first, stopped, target, present } = await stopWithVerifier(t, { shutdownSeconds: 0 })
    await stopped
    assert.equal(await present(), 2)
    const answer = await revoke(first, target.token.id)
    assert.notEqual(target.verify(target.token.token).status, 'valid')
    assert.deepEqual(waited(answer), { applied: '0', waitedOut: '1' })
  })

  /** Two nodes: the second has been told to stop, and a verifier that is attached to it knows that. */
  async function stopWithVerifier(t: TestContext, { shutdownSeconds }: { readonly shutdownSeconds: number }) {
    const { present, first, node } = await cluster(t, 2, { leaseSeconds: 2, shutdownSeconds })
    const token = await issueTo(first, await addMember(first, 'member'))
    const { hears, verify } = await attach(t, node(1).url, first.operatorToken)
    const told = hears('goodbye')
    const stopped = node(1).stop()
    await told
    assert.equal(verify(token.token).status, 'valid', 'it goes on by its lease, which gives it time to go elsewhere')
    return { first, stopped, target: { token, verify }, present }
  }

  test('one that was killed is waited for as long as its own lease, once, and then it is gone', async (t) => {
    const { schema, present, first } = await cluster(t, 1)
    const env = { DATABASE_URL: url, RESCIND_DATABASE_SCHEMA: schema.name, RESCIND_LEASE_SECONDS: '2' }
    const other = await serve(t, { dataDir: first.dataDir, env })
    const tokens = await Promise.all(numbers(3).map(() => issueOwn(first)))
    const [before, during, after] = tokens as [{ id: string }, { id: string }, { id: string }]
    assert.deepEqual(waited(await revoke(first, before.id)), { applied: '1', waitedOut: '0' })
    await other.kill()
    assert.deepEqual(waited(await revoke(first, during.id)), { applied: '0', waitedOut: '1' })
    while ((await present()) > 1);
    assert.deepEqual(waited(await revoke(first, after.id)), { applied: '0', waitedOut: '0' })
  })

  async function issueOwn({ call }: RunningService): Promise<{ id: string }> {
    return expect(201, await call('POST', '/api/v1/tokens', { json: { name: 'own' } })).json.data.token_info
  }

  async function revoke({ call }: RunningService, id: string) {
    return expect(201, await call('POST', `/api/v1/tokens/${id}/revoke`))
  }

  test('ten that start for the first time at once make one installation, and one of them has its tokens', async (t) => {
    const schema = new PostgresSchema(t, url)
    const dataDir = await temporaryFolder(t)
    const config = testConfig(dataDir, { databaseUrl: url, databaseSchema: schema.name, databasePoolSize: 1 })
    const services = await Promise.all(numbers(10).map(() => startService(config)))
    const made = services.flatMap(({ firstTokens }) => firstTokens ?? [])
    assert.equal(made.length, 1)
    for (const service of services) {
      const headers = { authorization: `Bearer ${made[0]?.ownerToken}`, 'x-business-id': made[0]?.businessId ?? '' }
      assert.equal((await fetch(`${service.url}/api/v1/tokens`, { headers })).status, 200)
    }
    await Promise.all(services.map(({ stop }) => stop()))
    assert.equal((await schema.query('SELECT 1 FROM installation')).length, 1)
    assert.equal((await schema.query('SELECT 1 FROM tokens')).length, 2)
    assert.equal((await schema.query('SELECT 1 FROM signing_keys')).length, 1)
  })

  test('three processes that start for the first time at once, on different machines, print one set of tokens', async (t) => {
    const schema = new PostgresSchema(t, url)
    const env = {
      DATABASE_URL: url,
      RESCIND_DATABASE_SCHEMA: schema.name,
      RESCIND_MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
    }
    const folders = await Promise.all(numbers(3).map(() => temporaryFolder(t)))
    const services = await Promise.all(folders.map((dataDir) => serve(t, { dataDir, env })))
    await Promise.any(services.map((service) => printedTokens(service)))
    const printing = services.filter((service) => /token/i.test(service.stdout()))
    assert.equal(printing.length, 1)
    const { operatorToken } = await printedTokens(printing[0] ?? assert.fail('none prints'))
    for (const service of services) {
      const headers = { authorization: `Bearer ${operatorToken}` }
      assert.equal((await fetch(`${service.url}/api/v1/keys`, { headers })).status, 200)
    }
    // Whoever reaches the database can let an operator in, while services run.
    const args = ['init', '--recover', '--data-dir', folders[0] ?? '']
    const repeated = await runProgram(t, ['init'], env)
    assert.match(repeated.stderr, /^error: The database of DATABASE_URL is set up already; add --recover/)
    const recovered = await runProgram(t, args, env)
    assert.match(recovered.stdout, /^Operator token {2}\S+\n$/, recovered.stderr)
    const headers = { authorization: `Bearer ${recovered.stdout.trim().split(/ +/).at(-1)}` }
    for (const service of services) {
      assert.equal((await fetch(`${service.url}/api/v1/keys`, { headers })).status, 200)
      assert.deepEqual(await service.stop(), { code: 0, signal: null })
    }
  })

  test('a new epoch of a database in which nothing was set up is refused, and makes nothing there', async (t) => {
    const schema = new PostgresSchema(t, url)
    const env = { DATABASE_URL: url, RESCIND_DATABASE_SCHEMA: schema.name }
    const { code, stdout, stderr } = await runProgram(t, ['new-epoch'], env)
    assert.match(stderr, /^error: There is no installation in the schema test_\w+ of the database that DATABASE_URL/)
    assert.deepEqual({ code, stdout }, { code: 2, stdout: '' })
    assert.deepEqual(await schema.query(`SELECT 1 FROM pg_namespace WHERE nspname = '${schema.name}'`), [])
  })

  test('a new epoch is refused while a service runs, and waits for one that was killed', async (t) => {
    const schema = new PostgresSchema(t, url)
    const dataDir = await temporaryFolder(t)
    const env = { DATABASE_URL: url, RESCIND_DATABASE_SCHEMA: schema.name, RESCIND_LEASE_SECONDS: '2' }
    const service = await serve(t, { dataDir, env })
    const epochs = () => schema.query(`SELECT 1 FROM revocation_log WHERE body LIKE '%epoch_opened%'`)
    const early = await runProgram(t, ['new-epoch'], env)
    assert.match(early.stderr, /^error: Services are running on this database; stop every one of them first/)
    assert.deepEqual([early.code, await epochs()], [2, []])
    await service.kill()
    const opened = await runProgram(t, ['new-epoch'], env)
    assert.match(opened.stdout, /^epoch +\S+\nformer_epoch/)
    assert.deepEqual([opened.code, (await epochs()).length], [0, 1])
  })

  test('one under which an older copy was put ends with 1, and answers nothing from it', async (t) => {
    const schema = new PostgresSchema(t, url)
    const dataDir = await temporaryFolder(t)
    const env = { DATABASE_URL: url, RESCIND_DATABASE_SCHEMA: schema.name }
    const service = await serve(t, { dataDir, env })
    const { ownerToken, businessId } = await printedTokens(service)
    const headers = { authorization: `Bearer ${ownerToken}`, 'x-business-id': businessId }
    const post = (path: string, body?: string) =>
      fetch(service.url + path, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        ...(body !== undefined && { body }),
      })
    const issued = (await (await post('/api/v1/tokens', '{"name":"a token"}')).json()) as {
      data: { token_info: { id: string } }
    }
    assert.equal((await post(`/api/v1/tokens/${issued.data.token_info.id}/revoke`)).status, 201)
    await schema.query(`ALTER TABLE revocation_log DISABLE TRIGGER ALL; ALTER TABLE log_head DISABLE TRIGGER ALL;
      DELETE FROM revocation_log WHERE seq > 1;
      UPDATE log_head SET seq = 1, hash = (SELECT hash FROM revocation_log)`)
    assert.deepEqual(await service.exited, { code: 1, signal: null })
    assert.match(service.stderr(), /another history .* Open a new epoch/)
  })
})
