import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import {
  FEED_CLOSE,
  FEED_PATH,
  GOODBYE_REASONS,
  type HeldLease,
  type Instant,
  LEASE_SECONDS,
  leaseEndMs,
  permittedMs,
  renewalIntervalMs,
  silenceLimitMs,
} from '@rescind/protocol'
import fc from 'fast-check'
import { serviceMessage, verifierMessage } from '../../packages/protocol/test/feed-message-arbitrary.ts'
import { BUGS } from '../bugs/bugs.ts'

const ROOT = join(import.meta.dirname, '../..')
const doc = readFileSync(join(ROOT, 'docs/protocol.md'), 'utf8')

describe('docs/protocol.md', () => {
  test('names every message with its fields, every close code and every reason', () => {
    for (const [title, messages] of [
      ['From a verifier', verifierMessage],
      ['From the service', serviceMessage],
    ] as const) {
      const rows = new Map(rowsOf(section(title)).map((cells) => [cells[0], cells.join(' ')]))
      for (const { type, ...fields } of fc.sample<object & { type: string }>(messages, { seed: 1, numRuns: 200 })) {
        const row = rows.get(`\`${type}\``) ?? ''
        for (const field of ['', ...Object.keys(fields)]) assert.ok(row.includes(field && `\`${field}\``), type + field)
        assert.ok(row !== '', type)
      }
    }
    const closing = rowsOf(section('Closing')).map(([code]) => code)
    for (const [name, code] of Object.entries(FEED_CLOSE)) assert.ok(closing.includes(`${code} \`${name}\``), name)
    for (const reason of GOODBYE_REASONS) assert.ok(section('From the service').includes(`\`${reason}\``), reason)
    assert.ok(section('3. The feed').includes(`\`${FEED_PATH}\``))
  })

  test('tells limits as they are defined', () => {
    const rows = rowsOf(section('Limits'))
    assert.ok(rows.length > 10)
    for (const [what, , defined = ''] of rows) {
      const [, path, definition] = /^`(.+?)` `(.+?)`$/.exec(defined) ?? []
      assert.ok(path && definition, what)
      const line = sourceOf(path)
        .split('\n')
        .find((each) => each.replace('export ', '') === `const ${definition}`)
      assert.ok(line, `${path} does not say: ${definition}`)
    }
  })

  test('tells the numbers that follow from the length of a lease', () => {
    const rows = rowsOf(section('The numbers'))
    assert.deepEqual(
      rows.map(([lease]) => Number(lease?.replaceAll('*', ''))),
      [LEASE_SECONDS.least, 5, 10, LEASE_SECONDS.usual, 60, LEASE_SECONDS.most],
    )
    for (const [lease = '', ...numbers] of rows) {
      assert.deepEqual(
        numbers.map(Number),
        numbersOf(Number(lease.replaceAll('*', '')) * 1000),
        `a lease of ${lease} s`,
      )
    }
  })

  test('has rules and invariants numbered without gaps, and all that the simulation speaks of', () => {
    const rules = [...section('The rules').matchAll(/^(\d+)\. \*\*/gm)].map(([, number]) => Number(number))
    assert.deepEqual(rules, upTo(15))
    const stated = [...doc.matchAll(/^- \*\*([GI]\d+)\b/gm)].map(([, name = '']) => name)
    assert.deepEqual(stated, [...upTo(4).map((n) => `G${n}`), ...upTo(17).map((n) => `I${n}`)])
    for (const name of spokenOf()) assert.ok(stated.includes(name), name)
  })

  test('says of every rule what enforces it and what notices when it is gone, every seeded bug included', () => {
    const rows = rowsOf(section('What enforces each rule'))
    assert.deepEqual(
      rows.map(([rule]) => Number(rule)),
      upTo(15),
    )
    const bugs = rows.flatMap(([rule, , , without = '']) =>
      [...without.matchAll(/\*(.+?)\* → (\w+)/g)].map(([, name, breaks]) => `${rule}: ${name}: ${breaks}`),
    )
    assert.deepEqual(bugs.sort(), BUGS.map(({ rule, name, breaks }) => `${rule}: ${name}: ${breaks}`).sort())
    for (const { rule, breaks } of BUGS)
      assert.ok(rows[rule - 1]?.[1]?.includes(breaks), `rule ${rule} keeps ${breaks}`)
    for (const [rule, , enforced = '', without = ''] of rows) {
      assert.ok(namedIn(enforced) > 0, `what enforces rule ${rule}`)
      assert.ok(/→/.test(without) || testsNamedIn(without) > 0, `what notices that rule ${rule} is gone`)
    }
  })

  test('names files, functions and tests that are there', () => {
    for (const [, path = ''] of doc.matchAll(/`([\w./-]+\.ts)`/g)) sourceOf(path)
    assert.ok(namedIn(doc) > 40)
    assert.ok(testsNamedIn(doc) > 5)
  })
})

/** How many names follow their file in `text`: each is in it. */
function namedIn(text: string): number {
  let count = 0
  for (const [, path = '', names = ''] of text.matchAll(/`([\w./-]+\.ts)`((?:,? `#?[\w]+`)+)/g)) {
    const source = sourceOf(path)
    for (const [, name = ''] of names.matchAll(/`(.+?)`/g)) {
      assert.match(source, new RegExp(`${name.startsWith('#') ? '' : '\\b'}${name}\\b`), `${name} in ${path}`)
      count++
    }
  }
  return count
}

/** How many tests follow their file in `text`: each is in it. */
function testsNamedIn(text: string): number {
  const named = [...text.matchAll(/`([\w./-]+\.ts)`, “(.+?)”/g)]
  for (const [, path = '', name = ''] of named) assert.ok(sourceOf(path).includes(name), `${name} in ${path}`)
  return named.length
}

/** As the page says where its paths begin. */
function sourceOf(path: string): string {
  const found = ['', 'packages', 'packages/server']
    .map((from) => join(ROOT, from, path))
    .filter((each) => existsSync(each))
  assert.equal(found.length, 1, `${path} is one file`)
  return readFileSync(found[0] ?? '', 'utf8')
}

/** From a title that begins like this to the next one. */
function section(title: string): string {
  const text = doc.split(/^##+ /m).find((each) => each.startsWith(title))
  assert.ok(text, title)
  return text
}

/** The cells of the tables in `text`, without their heads. */
function rowsOf(text: string): string[][] {
  const lines = text.split('\n')
  const isRow = (line = '') => line.startsWith('|') && !line.startsWith('| ---')
  return lines
    .filter((line, at) => isRow(line) && !lines[at + 1]?.startsWith('| ---'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
}

/** The row of a lease, by the arithmetic of the code, where messages take no time. In seconds, but for the last: a number. */
function numbersOf(leaseMs: number): number[] {
  const everyMs = renewalIntervalMs(leaseMs)
  const leftMs = (grantedMs: number, elapsedMs: number) => permittedMs([leaseOf(grantedMs)], 0, at(elapsedMs))
  const longest = leftMs(leaseMs, 0)
  const shortest = leftMs(leaseMs, everyMs)
  const noticedMs = everyMs + silenceLimitMs(leaseMs)
  const times = [
    everyMs,
    leftMs(shortest, everyMs),
    leftMs(longest, 0),
    noticedMs,
    leftMs(shortest, noticedMs),
    leaseEndMs(0, longest),
    leaseEndMs(0, leaseMs),
  ]
  return [...times.map((ms) => Math.round(ms) / 1000), Math.round(1_000_000 / everyMs)]
}

function leaseOf(grantedMs: number): HeldLease {
  return { since: at(0), grantedMs, seq: 0 }
}

function at(ms: number): Instant {
  return { monotonicMs: ms, wallMs: ms }
}

/** Every guarantee and invariant that the simulation and the exhaustive check can find broken. */
function spokenOf(): Set<string> {
  const files = readdirSync(join(ROOT, 'simulation'), { recursive: true, encoding: 'utf8' })
  const sources = files.filter((file) => /^[^.]+\.ts$/.test(file)).map((file) => sourceOf(join('simulation', file)))
  const names = sources.flatMap((source) => [...source.matchAll(/(?:['"`]|^ *)([GI]\d+)(?=['"`:])/gm)])
  assert.ok(names.length > 20)
  return new Set(names.map(([, name = '']) => name))
}

function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, at) => at + 1)
}
