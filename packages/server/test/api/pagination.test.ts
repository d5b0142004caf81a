import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { decodeBase64url, ERRORS, encodeBase64url } from '@rescind/protocol'
import { addMember, expect, type Holder, type Issued, issueTo } from '../service/provisioning.ts'
import { type RunningService, runService } from '../service/running-service.ts'

const SORTS = ['created_at', 'name', 'expires_at', 'last_used_at'] as const
const PER_PAGE = 7

interface Item {
  readonly id: string
  readonly name: string
  readonly created_at: string
  readonly expires_at: string
  readonly last_used_at: string | null
}

interface Page {
  readonly items: readonly Item[]
  readonly next_cursor: string | null
  readonly prev_cursor: string | null
  readonly has_next: boolean
  readonly has_prev: boolean
}

const first = await runService({ after }, { maxActiveTokens: 1000 })
const holder = await addMember(first, 'member')
const tokens: Issued[] = []
for (let count = 0; count < 22; count += 1) {
  // Names, expiries and last uses repeat, so that every order has ties.
  const name = ['b', 'a', '🔑', 'B', 'ä', '\uffff'][count % 6]
  tokens.push(await issueTo(first, holder, { name, expires_in_days: 1 + (count % 3) }))
}
for (const { token } of tokens.slice(0, 9)) expect(200, await first.call('GET', '/api/v1/tokens', { token }))
// A stop writes the last uses down.
const service = await first.restart()
const before = new Set(tokens.map(({ id }) => id))

for (const sort of SORTS) {
  for (const descending of [true, false]) {
    const order = `sort_by=${sort}&descending=${descending}`

    test(`walking by ${order}, either way, meets every token once and in order, whatever is issued meanwhile`, async () => {
      const expected = (await page(service, `${order}&limit=1000`)).items
      assert.ok(expected.length >= before.size)
      assertOrdered(expected, sort, descending)

      const forwards = await walk(order, 'next')
      assertOrdered(forwards, sort, descending)
      const backwards = await walk(order, 'prev')
      assertOrdered(backwards.toReversed(), sort, descending)
      for (const items of [forwards, backwards]) {
        assert.equal(new Set(items.map(({ id }) => id)).size, items.length, 'no token twice')
        assert.equal(items.filter(({ id }) => before.has(id)).length, before.size, 'no token left out')
      }
    })
  }
}

test('the pages before and after a page are the ones its cursors lead to', async () => {
  const one = await page(service, 'sort_by=name&limit=5')
  assert.deepEqual([one.has_prev, one.prev_cursor, one.has_next], [false, null, true])
  const two = await page(service, `sort_by=name&limit=5&cursor=${one.next_cursor}`)
  assert.deepEqual([two.has_prev, two.has_next], [true, true])
  const back = await page(service, `sort_by=name&limit=5&cursor=${two.prev_cursor}&direction=prev`)
  assert.deepEqual(back.items, one.items)
  const forth = await page(service, `sort_by=name&limit=5&cursor=${back.next_cursor}`)
  assert.deepEqual(forth.items, two.items)
})

test('a cursor that was changed, made up or made for another order is a 400', async () => {
  const { next_cursor: cursor } = await page(service, 'sort_by=name&limit=5')
  assert.ok(cursor)
  const bytes = decodeBase64url(cursor)
  assert.ok(bytes)
  const changed = [...bytes.keys()].map((index) => {
    const copy = Buffer.from(bytes)
    copy[index] = (copy[index] ?? 0) ^ 1
    return encodeBase64url(copy)
  })
  const queries = [
    ...[
      ...changed,
      cursor.slice(1),
      `${cursor}A`,
      `${cursor}=`,
      'x',
      '0',
      'null',
      '../../etc',
      `${cursor},${cursor}`,
    ].map((each) => `sort_by=name&cursor=${encodeURIComponent(each)}`),
    `sort_by=created_at&cursor=${cursor}`,
    `sort_by=expires_at&cursor=${cursor}`,
    `cursor=${cursor}`,
    `sort_by=name&descending=false&cursor=${cursor}`,
  ]
  for (const query of queries) {
    const refused = expect(400, await list(service, query))
    assert.deepEqual(refused.json, { detail: ERRORS.cursor_invalid.detail })
  }
})

test('a cursor of another service is a 400', async (t) => {
  const foreign = await runService(t, { maxActiveTokens: 1000 })
  const owner = await addMember(foreign, 'owner')
  for (let count = 0; count < 3; count += 1) await issueTo(foreign, owner)
  const answered = await foreign.call('GET', `/api/v1/tokens?user_email=${owner.email}&limit=1`)
  const { next_cursor: cursor } = expect(200, answered).json.data
  expect(400, await list(service, `cursor=${cursor}`))
})

/** Every item from one end to the other, with tokens issued and revoked between pages. */
async function walk(order: string, direction: 'next' | 'prev'): Promise<Item[]> {
  const items: Item[] = []
  const names = ['A', '\u{10ffff}', 'ä', 'b']
  let cursor: string | null = ''
  while (cursor !== null) {
    const { items: more, ...rest }: Page = await page(
      service,
      `${order}&limit=${PER_PAGE}&direction=${direction}&cursor=${cursor}`,
    )
    items.push(...(direction === 'next' ? more : more.toReversed()))
    cursor = direction === 'next' ? rest.next_cursor : rest.prev_cursor
    assert.equal(direction === 'next' ? rest.has_next : rest.has_prev, cursor !== null)
    const name = names.pop()
    if (name === undefined) continue
    const { id } = await issueTo(service, holder, { name, expires_in_days: 2 })
    if (name === 'ä') expect(201, await service.call('POST', `/api/v1/tokens/${id}/revoke`))
  }
  return items
}

function assertOrdered(items: readonly Item[], sort: (typeof SORTS)[number], descending: boolean): void {
  const ordered = items.toSorted((a, b) => {
    const order = compare(a[sort] ?? '', b[sort] ?? '') || compare(a.id, b.id)
    return descending ? -order : order
  })
  assert.deepEqual(
    items.map(({ id }) => id),
    ordered.map(({ id }) => id),
  )
}

/** By code point, with a missing value before every other. */
function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

async function page(running: RunningService, query: string): Promise<Page> {
  return expect(200, await list(running, query)).json.data
}

function list(running: RunningService, query: string, { email }: Holder = holder) {
  return running.call('GET', `/api/v1/tokens?user_email=${email}&${query}`)
}
