import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { ownPostgres } from '../../../../postgres/own-postgres.ts'
import { temporaryFolder } from '../service/running-service.ts'
import { printedTokens, serve } from '../service/service-process.ts'

test('the password of the database is in no log line, whatever goes wrong with connections', async (t) => {
  const server = await ownPostgres(t)
  if (server === undefined) return
  const password = `canary-${randomBytes(16).toString('hex')}`
  const changed = `changed-${randomBytes(16).toString('hex')}`
  await server.query(`CREATE ROLE service LOGIN PASSWORD '${password}'`)
  await server.query('GRANT CREATE ON DATABASE postgres TO service')
  const hba = join(server.dataDir, 'pg_hba.conf')
  writeFileSync(hba, `host all service 127.0.0.1/32 scram-sha-256\n${readFileSync(hba, 'utf8')}`)
  await server.query('SELECT pg_reload_conf()')

  const service = await serve(t, {
    dataDir: await temporaryFolder(t),
    env: {
      DATABASE_URL: `postgres://service:${password}@127.0.0.1:${server.port}/postgres`,
      RESCIND_LEASE_SECONDS: '2',
      RESCIND_LOG_LEVEL: 'trace',
    },
  })
  const { ownerToken, businessId } = await printedTokens(service)
  const use = () =>
    fetch(`${service.url}/api/v1/tokens`, {
      headers: { authorization: `Bearer ${ownerToken}`, 'x-business-id': businessId },
    }).then(({ status }) => status)
  const printed = () => service.stdout() + service.stderr()
  const loseConnections = () =>
    server.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'service'`)
  /** What happens, and what the log says of it; without that, the service works afterwards. */
  const troubles: readonly (readonly [happens: () => Promise<unknown>, said?: string])[] = [
    [loseConnections, 'terminating connection'],
    [() => server.query(`ALTER ROLE service PASSWORD '${changed}'`)],
    [loseConnections, 'password authentication failed'],
    [
      () => server.query(`ALTER ROLE service PASSWORD '${password}' CONNECTION LIMIT 1`),
      'too many connections for role',
    ],
    [() => server.query('ALTER ROLE service CONNECTION LIMIT -1')],
    [() => server.query('ALTER ROLE service SET synchronous_commit = off')],
    [loseConnections, 'synchronous_commit = off'],
    [() => server.query('ALTER ROLE service RESET synchronous_commit')],
    [() => server.kill(), 'ECONNREFUSED'],
    [() => server.start()],
    [() => server.halt(), 'ECONNREFUSED'],
  ]
  for (const [happens, said] of troubles) {
    const before = printed().length
    await Promise.all([use(), use(), happens(), use(), use()])
    const isMet = async () => {
      const status = await use()
      return said === undefined ? status === 200 : printed().slice(before).includes(said)
    }
    while (!(await isMet())) await delay(20)
  }
  assert.deepEqual(await service.stop(), { code: 0, signal: null })
  for (const secret of [password, changed, 'canary', 'secretKey', 'saslSession']) {
    assert.ok(!printed().includes(secret), `${secret} is printed`)
  }
  const longest = Math.max(
    ...service
      .stderr()
      .split('\n')
      .map((line) => line.length),
  )
  assert.ok(longest < 10_000, `a line of the log has ${longest} characters`)
})
