import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { pino } from 'pino'
import { logFeedNotices } from '../feed-notices.ts'

test('what happens on the connection of a verifier is logged by ids, its own not in full, and what should not happen is loud', () => {
  const verifierId = randomUUID()
  const lines: Record<string, unknown>[] = []
  const notify = logFeedNotices(pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) }))
  for (const notice of ['attached', 'disconnected', 'silent', 'resync', 'log_mismatch'] as const) {
    notify(notice, verifierId, 'token-1')
  }
  const { time, ...first } = lines[0] ?? {}
  assert.deepEqual(first, {
    level: 30,
    verifierId: verifierId.slice(0, 8),
    tokenId: 'token-1',
    notice: 'attached',
    msg: 'verifier attached',
  })
  assert.deepEqual(
    lines.map(({ level }) => level),
    [30, 30, 30, 40, 40],
  )
})
