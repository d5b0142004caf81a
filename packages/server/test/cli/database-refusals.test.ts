import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { databaseForTests } from '../../../../postgres/database-for-tests.ts'
import type { PostgresServer } from '../../../../postgres/postgres-server.ts'
import { startPostgres } from '../../../../postgres/start-postgres.ts'
import { startStandby } from '../../../../postgres/start-standby.ts'
import { temporaryFolder } from '../service/running-service.ts'
import { runProgram, serve } from '../service/service-process.ts'

const { skip } = await databaseForTests()

/** The password of every URL here: it must not be found in anything that is printed. */
const CANARY = `canary-${randomUUID()}`

describe('a database that the service refuses is told in one sentence, without the password:', { skip }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
    await server.query(`CREATE ROLE service LOGIN PASSWORD '${CANARY}'`)
    await server.query(`CREATE ROLE guest LOGIN`)
    await server.query('GRANT CREATE ON DATABASE postgres TO service')
    const hba = join(server.dataDir, 'pg_hba.conf')
    const trusting = readFileSync(hba, 'utf8')
    writeFileSync(
      hba,
      `host all service 127.0.0.1/32 scram-sha-256\nhost all stranger 127.0.0.1/32 reject\n${trusting}`,
    )
    await server.query('SELECT pg_reload_conf()')
  })
  after(() => server.stop())

  function urlOf({ user = 'service', password = CANARY, port = server.port, database = 'postgres', query = '' }) {
    return `postgres://${user}:${password}@127.0.0.1:${port}/${database}${query}`
  }

  async function refusal(t: TestContext, DATABASE_URL: string, sentence: RegExp, env = {}): Promise<void> {
    const dataDir = await temporaryFolder(t)
    const args = ['serve', '--port', '0', '--data-dir', dataDir, '--log-level', 'trace']
    const { code, stdout, stderr } = await runProgram(t, args, { DATABASE_URL, ...env })
    assert.match(stderr, sentence)
    const sentences = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'))
    assert.equal(sentences.length, 1, stderr)
    assert.match(sentences[0] ?? '', /^error: .+[.?]$/)
    assert.doesNotMatch(stderr, /canary/)
    assert.equal(stdout, '')
    assert.equal(code, 2)
  }

  async function listening(t: TestContext, onConnection: (server: Server) => void): Promise<number> {
    const other = createServer().listen(0, '127.0.0.1')
    onConnection(other)
    await once(other, 'listening')
    t.after(() => other.close())
    const address = other.address()
    return typeof address === 'object' ? (address?.port ?? 0) : 0
  }

  test('a wrong password', (t) => refusal(t, urlOf({ password: `${CANARY}x` }), /does not accept the password/))
  test('a user it does not let in', (t) => refusal(t, urlOf({ user: 'stranger' }), /does not accept the user/))
  test('a user that is not allowed to make the tables', (t) =>
    refusal(t, urlOf({ user: 'guest' }), /may not create or use the schema/))
  test('a database that is not there', (t) =>
    refusal(t, urlOf({ database: 'nowhere' }), /does not exist on the server/))
  test('a port where nothing listens', (t) => refusal(t, urlOf({ port: 1 }), /Nothing listens/))
  test('a host that is not known', (t) =>
    refusal(t, `postgres://service:${CANARY}@nowhere.invalid/postgres`, /host .*(not known|cannot be looked up)/))
  test('TLS that is wanted and not offered', (t) =>
    refusal(t, urlOf({ query: '?sslmode=require' }), /do not agree on TLS/))
  test('a root certificate that is not there', (t) =>
    refusal(
      t,
      urlOf({ query: '?sslmode=verify-full&sslrootcert=/nowhere/root.crt' }),
      /root\.crt, which DATABASE_URL names, cannot be read/,
    ))
  test('a URL that is none', async (t) => {
    await refusal(t, `postgres://service:${CANARY}@[/postgres`, /DATABASE_URL cannot be (read|used)/)
    await refusal(t, `mysql://service:${CANARY}@127.0.0.1/postgres`, /DATABASE_URL cannot be (read|used)/)
  })
  test('a host that takes connections and does not answer', async (t) => {
    const port = await listening(t, (other) => other.on('connection', (socket) => t.after(() => void socket.destroy())))
    await refusal(t, urlOf({ port }), /does not answer/)
  })
  test('a host that closes connections', async (t) => {
    const port = await listening(t, (other) => other.on('connection', (socket) => void socket.destroy()))
    await refusal(t, urlOf({ port }), /closes the connection/)
  })
  test('a host that talks of something else', async (t) => {
    const port = await listening(t, (other) =>
      other.on('connection', (socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n')),
    )
    await refusal(t, urlOf({ port }), /closes the connection/)
  })
  test('no connection left', async (t) => {
    await server.query('ALTER ROLE service CONNECTION LIMIT 0')
    t.after(() => server.query('ALTER ROLE service CONNECTION LIMIT -1'))
    await refusal(t, urlOf({}), /no connection left/)
  })

  for (const [setting, value] of [
    ['fsync', 'off'],
    ['full_page_writes', 'off'],
    ['synchronous_commit', 'off'],
  ] as const) {
    test(`${setting} = ${value}`, async (t) => {
      await server.query(`ALTER SYSTEM SET ${setting} = ${value}`)
      await server.query('SELECT pg_reload_conf()')
      t.after(async () => {
        await server.query(`ALTER SYSTEM RESET ${setting}`)
        await server.query('SELECT pg_reload_conf()')
      })
      await refusal(t, urlOf({}), new RegExp(`${setting} = ${value}, so a crash can undo revocations`))
    })
  }

  test('synchronous_commit = off for the role alone', async (t) => {
    await server.query('ALTER ROLE service SET synchronous_commit = off')
    t.after(() => server.query('ALTER ROLE service RESET synchronous_commit'))
    await refusal(t, urlOf({}), /synchronous_commit = off, so a crash can undo revocations/)
  })

  test('a schema that a newer version wrote, a log that was altered, and one with entries it does not know', async (t) => {
    const env = (name: string) => ({ DATABASE_URL: urlOf({}), RESCIND_DATABASE_SCHEMA: name })
    for (const [name, tamper, sentence] of [
      [
        'newer',
        `INSERT INTO newer.schema_migrations VALUES (99, 'from the future', 1)`,
        /schema version 99 .* newer program/,
      ],
      [
        'altered',
        'ALTER TABLE altered.revocation_log DISABLE TRIGGER USER; UPDATE altered.revocation_log SET at_ms = 1',
        /another history .*\. Open a new epoch .* log of this database is damaged: restore it/,
      ],
      [
        'unknown',
        `INSERT INTO unknown.revocation_log SELECT seq + 1, 'new', '["new"]', 1, hash, 'h' FROM unknown.log_head`,
        /log of this database is damaged, or was written by a newer version/,
      ],
    ] as const) {
      const dataDir = await temporaryFolder(t)
      const key = { RESCIND_MASTER_KEY: Buffer.alloc(32, 7).toString('base64') }
      await (await serve(t, { dataDir, env: { ...env(name), ...key } })).stop()
      await server.query(tamper.split('; ')[0] ?? '')
      if (tamper.includes('; ')) await server.query(tamper.split('; ')[1] ?? '')
      await refusal(t, urlOf({}), sentence, { RESCIND_DATABASE_SCHEMA: name, ...key })
    }
  })

  test('a user that may read what is there and not write it, which no backup would mend', async (t) => {
    const dataDir = await temporaryFolder(t)
    const key = { RESCIND_MASTER_KEY: Buffer.alloc(32, 7).toString('base64') }
    const env = { ...key, RESCIND_DATABASE_SCHEMA: 'lent' }
    await (await serve(t, { dataDir, env: { ...env, DATABASE_URL: urlOf({}) } })).stop()
    await server.query('GRANT USAGE ON SCHEMA lent TO guest; GRANT SELECT ON ALL TABLES IN SCHEMA lent TO guest')
    await refusal(t, urlOf({ user: 'guest' }), /may not create or use the schema(?!.* backup)/, env)
  })

  test('a standby, and a primary that confirms nothing to its synchronous standby', async (t) => {
    const standby = await startStandby(server)
    t.after(() => standby.stop())
    await refusal(t, urlOf({ port: standby.port }), /is a standby/)
    await server.query('ALTER ROLE service SET synchronous_commit = local')
    await refusal(t, urlOf({}), /synchronous_commit = local and a synchronous standby/)
    await server.query('ALTER ROLE service RESET synchronous_commit')
    await server.query('ALTER SYSTEM RESET synchronous_standby_names')
    await server.query('SELECT pg_reload_conf()')
  })

  test('and the help shows no default of it', async (t) => {
    const { stdout, code } = await runProgram(t, ['serve', '--help'], { DATABASE_URL: urlOf({}) })
    assert.equal(code, 0)
    assert.match(stdout, /DATABASE_URL/)
    assert.doesNotMatch(stdout, /canary/)
  })
})
