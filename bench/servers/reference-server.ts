/**
 * The least a server can do, to compare with: answers every request with the same 17 bytes of JSON.
 *
 * Arguments: `node`, or `fastify` and optionally a file for Fastify's default request log.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fastify } from 'fastify'

const HELLO = { hello: 'world' }
const HELLO_TEXT = JSON.stringify(HELLO)

const [kind, logFile] = process.argv.slice(2)
const port = kind === 'node' ? await listenBare() : await listenFastify()
process.stdout.write(`Listening  http://127.0.0.1:${port}\n`)

async function listenBare(): Promise<number> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': HELLO_TEXT.length })
    response.end(HELLO_TEXT)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

async function listenFastify(): Promise<number> {
  const app = fastify({ logger: logFile === undefined ? false : { file: logFile } })
  app.get('/', async () => HELLO)
  app.post('/api/v1/tokens/verify', async () => HELLO)
  await app.listen({ host: '127.0.0.1', port: 0 })
  return (app.server.address() as AddressInfo).port
}
