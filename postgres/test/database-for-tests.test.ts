import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client } from 'pg'
import { databaseForTests } from '../database-for-tests.ts'

const { url, skip } = await databaseForTests()

test('tests have a database, the same one for all of a file', { skip }, async () => {
  assert.equal((await databaseForTests()).url, url)
  const client = new Client({ connectionString: url })
  await client.connect()
  assert.deepEqual((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }])
  await client.end()
})
