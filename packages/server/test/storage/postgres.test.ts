import { randomUUID } from 'node:crypto'
import { Client } from 'pg'
import { openPostgres } from '../../storage/postgres/open-postgres.ts'
import { describeStorage } from './describe-storage.ts'
import { NOW_MS } from './fixtures.ts'

const url = process.env.RESCIND_TEST_DATABASE_URL ?? ''

if (url !== '')
  describeStorage('PostgreSQL', async () => {
    const schema = `test_${randomUUID().replaceAll('-', '')}`
    return {
      open: () =>
        openPostgres(
          { url, schema, poolSize: 5, listen: true },
          {
            clocks: { nowMs: () => NOW_MS, monotonicMs: () => performance.now() },
            timers: {
              after: (ms, run) => {
                const timer = setTimeout(run, ms).unref()
                return () => clearTimeout(timer)
              },
            },
            onTrouble: (error) => console.log('trouble', error),
          },
        ),
      async destroy() {
        const client = new Client(url)
        await client.connect()
        await client.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`)
        await client.end()
      },
    }
  })
