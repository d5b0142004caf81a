import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Command } from 'commander'
import { processContext } from '../../cli/context.ts'
import { createProgram } from '../../cli/main.ts'
import { serveInstallation } from '../service/installation-client.ts'
import { temporaryFolder } from '../service/running-service.ts'
import { runProgram } from '../service/service-process.ts'

test('every command does its work against a running service and ends with its documented code', async (t) => {
  const { service, operatorToken, ownerToken, businessId } = await serveInstallation(t)
  const tried = new Set<string>()
  const run = async (words: readonly string[], env: Readonly<Record<string, string>>, input = '') => {
    tried.add(words[0] === 'backup' ? 'backup' : words.slice(0, 2).join(' '))
    return runProgram(t, words, { RESCIND_URL: service.url, RESCIND_BUSINESS_ID: businessId, ...env }, input)
  }
  const asOwner = { RESCIND_TOKEN: ownerToken }
  const asOperator = { RESCIND_TOKEN: operatorToken }
  /** Runs with --json: one line, which is what the service answered. */
  const json = async (command: string, env: Readonly<Record<string, string>>, code = 0, input = '') => {
    const result = await run([...command.split(' '), '--json'], env, input)
    assert.equal(result.code, code, `${command}: ${result.stdout}${result.stderr}`)
    assert.match(result.stdout, /^[^\n]+\n$/)
    assert.equal(result.stderr, '')
    return JSON.parse(result.stdout)
  }

  const created = await json('token create --name ci --scope tokens:read --expires-in-days 30', asOwner)
  assert.equal(created.code, 'TOKEN_CREATED')
  const { token, token_info: info } = created.data
  const file = join(await temporaryFolder(t), 'token')
  writeFileSync(file, `${token}\n`)

  await t.test('tokens', async () => {
    const [listed, shown, valid, withFile] = await Promise.all([
      json('token list --all --total', asOwner),
      json(`token show ${info.id}`, asOwner),
      json('token verify --for-scope tokens:read', asOperator, 0, token),
      json(`token list --token-file ${file}`, {}),
    ])
    assert.ok(listed.data.items.some(({ id }: { id: string }) => id === info.id))
    assert.equal(listed.data.total, listed.data.items.length)
    assert.equal(shown.data.jti, info.jti)
    assert.equal(valid.data.client_id, info.id)
    assert.equal(withFile.code, 'TOKENS_LISTED')
    const text = await run(['token', 'list'], asOwner)
    assert.match(text.stdout, new RegExp(`^${info.id} +ci `, 'm'))

    assert.equal((await json(`token revoke ${info.jti} --reason lost`, asOwner)).code, 'TOKEN_REVOKED')
    const [again, rejected, refused] = await Promise.all([
      json(`token revoke ${info.id}`, asOwner),
      json(`token verify ${file}`, asOperator, 10),
      json('token list', { RESCIND_TOKEN: token }, 3),
    ])
    assert.equal(again.code, 'TOKEN_ALREADY_REVOKED')
    assert.equal(again.data.revocation_reason, 'lost')
    assert.deepEqual(rejected.data, { status: 'rejected', reason: 'revoked' })
    assert.deepEqual(refused, { detail: 'Not authenticated' })
  })

  await t.test('businesses and members', async () => {
    const business = (await json('business create --name Acme', asOperator)).data.id
    const there = { ...asOperator, RESCIND_BUSINESS_ID: business }
    assert.equal((await json(`business show ${business}`, asOperator)).data.name, 'Acme')
    const ada = (await json('member add --email Ada@example.com --role admin', there)).data.user_id
    const bob = (await json('member add --email bob@example.com --role member', there)).data.user_id
    assert.equal((await json(`member show ${ada}`, there)).data.email, 'ada@example.com')
    const adaToken = (await json('token create --name a --as ada@example.com', there)).data.token
    const bobToken = (await json('token create --name b --as bob@example.com', there)).data.token
    assert.equal((await json(`member revoke-tokens ${ada} --reason laptop`, there)).code, 'MEMBER_TOKENS_REVOKED')
    assert.equal((await json(`member remove ${bob}`, there)).code, 'MEMBER_REMOVED')
    assert.equal((await json(`business revoke-tokens ${business}`, there)).code, 'BUSINESS_TOKENS_REVOKED')
    const [adaVerdict, bobVerdict] = await Promise.all([
      json('token verify', there, 10, adaToken),
      json('token verify', there, 10, bobToken),
    ])
    assert.deepEqual([adaVerdict.data.reason, bobVerdict.data.reason], ['revoked', 'revoked'])
  })

  await t.test('what is refused', async () => {
    const nowhere = { ...asOwner, RESCIND_URL: 'http://127.0.0.1:1' }
    const cases = await Promise.all([
      json(`token show ${randomUUID()}`, asOwner, 5),
      json('business create --name mine', asOwner, 4),
      json('token create --name x --expires-in-days 366', asOwner, 6),
      json('member add --email owner@localhost --role viewer', asOwner, 7),
      json('token list', nowhere, 8),
      json('token list', { RESCIND_TOKEN: 'dz_x.y.z' }, 3),
      json('token list --limit many', asOwner, 2),
    ])
    for (const each of cases) assert.ok(each.detail.length > 0)
  })

  await t.test('keys', async () => {
    const before = (await json('keys list', asOperator)).data.items
    assert.equal(before.length, 1)
    const [{ kid }] = before
    assert.match((await json(`keys retire ${kid}`, asOperator, 7)).detail, /rotate first/)
    assert.equal((await json('keys rotate --alg ES256', asOperator)).data.alg, 'ES256')
    const { token: next } = (await json('token create --name next', { ...asOperator, RESCIND_BUSINESS_ID: '' })).data
    assert.equal((await json(`keys retire ${kid}`, { RESCIND_TOKEN: next })).data.signing, false)
    const list = await run(['keys', 'list'], { RESCIND_TOKEN: next })
    assert.match(list.stdout, /^kid +alg +signing/)
    await json('keys list', asOperator, 3)
    asOperator.RESCIND_TOKEN = next
  })

  await t.test('backup', async () => {
    const folder = await temporaryFolder(t)
    const backup = join(folder, 'backup.db')
    const { seq, bytes } = await json(`backup ${backup}`, asOperator)
    assert.ok(seq > 0)
    assert.equal(statSync(backup).size, bytes)
    assert.deepEqual(readdirSync(folder), ['backup.db'])
    assert.match((await json(`backup ${backup}`, asOperator, 2)).detail, /exists/)
    await json(`backup ${join(folder, 'other.db')}`, { RESCIND_TOKEN: 'dz_x.y.z' }, 3)
    assert.deepEqual(readdirSync(folder), ['backup.db'])
  })

  // Those of a service that is stopped.
  const offline = ['serve', 'init', 'restore', 'new-epoch', 'export', 'import']
  const commands = leaves(createProgram(processContext())).filter((path) => !offline.includes(path))
  assert.deepEqual([...tried].sort(), commands.sort())
  assert.deepEqual(await service.stop(), { code: 0, signal: null })
})

function leaves(command: Command, path: readonly string[] = []): string[] {
  if (command.commands.length === 0) return [path.join(' ')]
  return command.commands.flatMap((child) => leaves(child, [...path, child.name()]))
}
