import assert from 'node:assert/strict'
import { test } from 'node:test'
import chromium from '@sparticuz/chromium'
import { chromium as browsers } from 'playwright-core'
import { runService } from '../service/running-service.ts'

// The browser that comes from npm is built for this platform only.
const skip = process.platform === 'linux' && process.arch === 'x64' ? false : 'no browser for this platform'

test('the reference at /docs shows every operation in a browser, and asks nobody else for anything', {
  skip,
}, async (t) => {
  const service = await runService(t)
  const browser = await browsers.launch({
    executablePath: await chromium.executablePath(),
    args: [...chromium.args, '--disable-background-networking', '--disable-component-update'],
  })
  t.after(() => browser.close())
  const page = await browser.newPage()
  const asked: string[] = []
  const complaints: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))

  await page.goto(`${service.url}/docs`)
  await page.locator('.opblock').first().waitFor()
  const shown = await page.locator('.opblock').count()
  const { paths } = (await service.call('GET', '/openapi.json', { token: null, business: null })).json
  const operations = Object.values<object>(paths).flatMap((path) => Object.keys(path))
  assert.equal(shown, operations.length)

  await page.locator('#operations-api-tokens-revoke_token_api_v1_tokens__token_id__revoke_post').click()
  await page.locator('.opblock-body').getByText('rejects the token').waitFor()

  const elsewhere = asked.filter((url) => !url.startsWith(`${service.url}/`) && !/^(data|blob):/.test(url))
  assert.deepEqual(elsewhere, [])
  assert.deepEqual(complaints, [])
})
