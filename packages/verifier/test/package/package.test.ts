import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { feedToken } from '../../../server/test/feed/attached.ts'
import { addMember, expect, type Issued, issueTo } from '../../../server/test/service/provisioning.ts'
import { runService, temporaryFolder } from '../../../server/test/service/running-service.ts'
import { type Run, runToEnd, startLineProgram, startServer } from './application.ts'
import { compile, RESOLUTIONS } from './compile.ts'
import { installPackage } from './installed-package.ts'
import { VERDICT_PROGRAMS } from './verdict-programs.ts'
import { WRONG_PROGRAMS, wrongProgram } from './wrong-programs.ts'

/** Where the samples say that the service is. */
const SERVICE_IN_SAMPLES = 'https://tokens.example.com'
const TYPED = 'typed-program.ts'
const SERVERS = ['express', 'fastify', 'hono']

/** The Node that runs the programs, by its version. */
const NODES: readonly (readonly [version: string, program: string])[] = [
  ['24', process.execPath],
  ['22', process.env.RESCIND_TEST_NODE_22 ?? ''],
]

const service = await runService({ after })
const env = { RESCIND_URL: service.url, RESCIND_FEED_TOKEN: (await feedToken(service)).token }
const installed = installPackage(await temporaryFolder({ after }))

for (const [name, code] of VERDICT_PROGRAMS) writeFileSync(join(installed.folder, name), code)
for (const [name, code] of installed.samples) {
  assert.ok(code.includes(SERVICE_IN_SAMPLES), `${name} says where the service is`)
  writeFileSync(join(installed.folder, name), code.replaceAll(SERVICE_IN_SAMPLES, service.url))
}
for (const [at, [, code]] of WRONG_PROGRAMS.entries()) {
  writeFileSync(join(installed.folder, wrongFile(at)), wrongProgram(code))
}
copyFileSync(join(import.meta.dirname, TYPED), join(installed.folder, TYPED))
const wrong = new Map(WRONG_PROGRAMS.map(([, , error], at) => [wrongFile(at), [error]]))
const typedSamples = [...installed.samples.keys()].filter((name) => name.endsWith('.ts'))
const withoutFrameworks = RESOLUTIONS.map((resolution) =>
  compile(installed.folder, [TYPED, ...wrong.keys()], resolution),
)
installed.addFrameworks()
const withFrameworks = RESOLUTIONS.map((resolution) => compile(installed.folder, typedSamples, resolution))

test('the package holds modules with their declarations, its manifest and its README, and is small', () => {
  const { files, unpackedBytes } = installed
  const modules = files.filter((file) => /^(verifier|protocol)\/([a-z0-9-]+\/)?[a-z0-9-]+\.js$/.test(file))
  const declarations = modules.map((file) => file.replace(/js$/, 'd.ts'))
  assert.ok(modules.length > 30)
  assert.deepEqual(files.toSorted(), [...modules, ...declarations, 'README.md', 'package.json'].toSorted())
  assert.deepEqual(
    files.filter((file) => /test|build/.test(file)),
    [],
  )
  assert.ok(unpackedBytes < 300_000, `${unpackedBytes} bytes`)
})

test('nothing but ws is installed with the package, and no framework has to be', () => {
  const { dependencies, devDependencies, scripts, peerDependencies, peerDependenciesMeta } = installed.manifest
  assert.deepEqual(Object.keys(dependencies), ['ws'])
  assert.deepEqual([devDependencies, scripts], [undefined, undefined])
  assert.deepEqual(Object.keys(peerDependencies), SERVERS)
  assert.deepEqual(peerDependenciesMeta, Object.fromEntries(SERVERS.map((name) => [name, { optional: true }])))
})

test('the declarations say what the source says of everything public', () => {
  const declared = (file: string) =>
    readFileSync(join(installed.folder, 'node_modules/@rescind/verifier', file), 'utf8')
  assert.match(declared('verifier/options.d.ts'), /10,000 ms unless given/)
  assert.match(declared('protocol/verdict.d.ts'), /\/\*\* UUID of the holder/)
})

for (const [at, resolution] of RESOLUTIONS.entries()) {
  test(`without any framework, the right program compiles and no wrong one, resolved by ${resolution}`, () => {
    assert.deepEqual(withoutFrameworks[at], wrong)
  })

  test(`the samples compile as strictly as can be, resolved by ${resolution}`, () => {
    assert.deepEqual(
      typedSamples.toSorted(),
      SERVERS.map((name) => `${name}.ts`),
    )
    assert.deepEqual(withFrameworks[at], new Map())
  })
}

for (const [version, program] of NODES) {
  const skip = program === '' && `RESCIND_TEST_NODE_${version} names no Node ${version}`
  const run = (...args: readonly string[]): Run => ({ node: program, folder: installed.folder, args, env })

  test(`the Node ${version} of these tests is one`, { skip }, () => {
    assert.match(execFileSync(program, ['--version'], { encoding: 'utf8' }), new RegExp(`^v${version}\\.`))
  })

  for (const name of VERDICT_PROGRAMS.keys()) {
    test(`Node ${version}: ${name} refuses a token from its revocation on, and ends once closed`, {
      skip,
    }, async (t) => {
      const { token, id, userId } = await issueToken()
      const follower = startLineProgram(t, run(name))
      const verdict = async (line: string) => JSON.parse(await follower.ask(line))
      const before = await verdict(token)
      assert.deepEqual([before.status, before.token?.userId], ['valid', userId])
      await revoke({ id })
      assert.deepEqual(await verdict(`Bearer ${token}`), { status: 'rejected', reason: 'revoked', tokenId: id })
      await follower.end()
    })
  }

  test(`Node ${version}: a compiled program ends once it has closed what it created`, { skip }, async (t) => {
    const { token, userId } = await issueToken()
    assert.equal(await runToEnd(t, run('nodenext/typed-program.js', token)), `${userId} of a business\n`)
  })

  test(`Node ${version}: the first program of the README says who holds a token, and that it was revoked`, {
    skip,
  }, async (t) => {
    const { token, id, userId } = await issueToken()
    const printed = (...args: readonly string[]) => runToEnd(t, run('verify.js', ...args))
    assert.match(await printed(token), new RegExp(userId))
    await revoke({ id })
    assert.match(await printed(token), /revoked/)
    assert.match(await printed(), /no_credential/)
  })

  for (const name of SERVERS) {
    test(`Node ${version}: the ${name} server of the README answers 401 from the revocation on`, {
      skip,
    }, async (t) => {
      const { token, id, userId, businessId } = await issueToken()
      const server = await startServer(t, run(`nodenext/${name}.js`))
      const headers = { authorization: `Bearer ${token}`, 'x-business-id': businessId }
      const answer = await fetch(`${server.url}/reports`, { headers })
      assert.equal(answer.status, 200)
      assert.ok((await answer.text()).includes(userId))
      await revoke({ id })
      assert.equal((await fetch(`${server.url}/reports`, { headers })).status, 401)
      await server.stop()
    })
  }
}

function wrongFile(at: number): string {
  return `wrong-${at}.ts`
}

async function issueToken() {
  const holder = await addMember(service, 'viewer')
  return { ...holder, ...(await issueTo(service, holder, { scopes: ['reports:read'] })) }
}

async function revoke({ id }: Pick<Issued, 'id'>): Promise<void> {
  expect(201, await service.call('POST', `/api/v1/tokens/${id}/revoke`))
}
