/**
 * Exports or imports as the program does, and kills itself at one step: the n-th time that rows are read or written, or before or
 * after the fence or the commit. Says how many steps there are when it gets to its end.
 *
 * Arguments: `export <data folder> <file> <step>`, or `import <data folder> <file> <step> [<url> <schema>]`.
 */
import { checkExport } from '../../storage/move/check-export.ts'
import { exportInstallation } from '../../storage/move/export-installation.ts'
import { importInstallation } from '../../storage/move/import-installation.ts'
import { openWholeSchema } from '../../storage/postgres/whole-schema.ts'
import { openWholeFolder } from '../../storage/sqlite/whole-folder.ts'

const [, , verb, dataDir = '', file = '', lastStep, url, schema = ''] = process.argv
const clock = { nowMs: () => Date.now() }
let steps = 0

function step(): void {
  steps += 1
  if (steps === Number(lastStep)) process.kill(process.pid, 'SIGKILL')
}

/** What a transaction does, with a step before and after each of it. */
function stepwise<T extends object>(transaction: T): T {
  return new Proxy(transaction, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: readonly unknown[]) => {
        step()
        const result: unknown = value.apply(target, args)
        if (!(result instanceof Promise)) {
          step()
          return name === 'rows' ? stepsOf(result as AsyncIterable<unknown>) : result
        }
        return result.then((done) => {
          step()
          return done
        })
      }
    },
  })
}

async function* stepsOf(chunks: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  for await (const chunk of chunks) {
    step()
    yield chunk
  }
}

if (verb === 'export') {
  await exportInstallation(stepwise(await openWholeFolder({ dataDir, clock })), file, clock)
} else {
  const checked = await checkExport(file)
  const target =
    url === undefined ? openWholeFolder({ dataDir, clock }) : openWholeSchema({ url, schema, poolSize: 1, clock })
  await importInstallation(stepwise(await target), checked)
}
console.log(steps)
process.exit()
