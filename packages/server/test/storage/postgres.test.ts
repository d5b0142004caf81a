import { describe } from 'node:test'
import { databaseForTests } from '../../../../postgres/database-for-tests.ts'
import { describeStorage } from './describe-storage.ts'
import { PostgresSchema } from './postgres-schema.ts'

const { url, skip } = await databaseForTests()

describe('with a database server', { skip }, () => {
  if (url !== undefined)
    describeStorage('PostgreSQL', async () => {
      let destroy = (): Promise<unknown> => Promise.resolve()
      const schema = new PostgresSchema({ after: (end) => (destroy = end) }, url)
      return {
        open: () => schema.open(),
        async destroy() {
          await destroy()
        },
      }
    })
})
