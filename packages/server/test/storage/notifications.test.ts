import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import { Client } from 'pg'
import { databaseForTests } from '../../../../postgres/database-for-tests.ts'
import { ManualTime } from '../../../protocol/test/manual-time.ts'
import { Notifications } from '../../storage/postgres/notifications.ts'

const { url = '', skip } = await databaseForTests()

const RECONNECT_MS = 1000

describe('the connection for notifications', { skip }, () => {
  test('is tried again when it cannot even be begun, at first and later', async (t) => {
    const time = new ManualTime()
    const faults = ['first', undefined, 'later', undefined]
    const clients: Client[] = []
    const troubles: string[] = []
    let heard = Promise.withResolvers<void>()
    const notifications = new Notifications({
      newClient: () => {
        const fault = faults.shift()
        if (fault !== undefined) throw new Error(fault)
        const client = new Client(url)
        clients.push(client)
        return client
      },
      schema: randomUUID(),
      heard: () => heard.resolve(),
      timers: time,
      onTrouble: (error) => troubles.push(error instanceof Error ? error.message : String(error)),
    })
    t.after(() => notifications.stop())
    assert.deepEqual(troubles, ['first'])
    await time.settle(RECONNECT_MS)
    await heard.promise

    heard = Promise.withResolvers()
    const ended = new Promise((resolve) => clients[0]?.once('end', resolve))
    await clients[0]?.end()
    await ended
    assert.equal(troubles.length, 2)
    await time.settle(RECONNECT_MS)
    assert.equal(troubles[2], 'later')
    await time.settle(RECONNECT_MS)
    await heard.promise
    assert.equal(troubles.length, 3)
  })
})
