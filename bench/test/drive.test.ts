import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { drive } from '../load/drive.ts'
import { eachOnce } from '../load/next-request.ts'
import { requestBytes } from '../load/request-bytes.ts'
import { ResponseParser } from '../load/response-parser.ts'

async function listen(t: TestContext, listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

function load(port: number, requests: number) {
  const next = eachOnce(Array(requests).fill(requestBytes({ method: 'POST', path: '/', json: { n: 1 } })))
  return { port, clients: 3, next, durationMs: Number.POSITIVE_INFINITY, expectedStatus: 200 }
}

test('every request is answered and counted once', async (t) => {
  let received = 0
  const port = await listen(t, (_request, response) => {
    received += 1
    response.setHeader('content-length', 2).end('ok')
  })
  const { requests } = await drive(load(port, 50))
  assert.deepEqual({ requests, received }, { requests: 50, received: 50 })
})

test('a status other than the expected one fails the load', async (t) => {
  let received = 0
  const port = await listen(t, (_request, response) => {
    received += 1
    response.writeHead(received === 20 ? 503 : 200, { 'content-length': 0 }).end()
  })
  await assert.rejects(drive(load(port, 50)), /Answered 503 instead of 200/)
})

test('a connection that breaks fails the load', async (t) => {
  const port = await listen(t, (_request, response) => response.destroy())
  await assert.rejects(drive(load(port, 5)))
})

test('responses are found wherever the bytes are split', () => {
  const stream = Buffer.from(
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello' +
      'HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n' +
      'HTTP/1.1 201 Created\r\nx: y\r\ncontent-length: 2\r\n\r\nok',
  )
  for (let size = 1; size <= stream.length; size += 1) {
    const found: string[] = []
    const parser = new ResponseParser((status, body) => found.push(`${status} ${body}`), true)
    for (let at = 0; at < stream.length; at += size) parser.push(stream.subarray(at, at + size))
    assert.deepEqual(found, ['200 hello', '204 ', '201 ok'])
  }
})
