import assert from 'node:assert/strict'
import { test } from 'node:test'
import { APPLICATIONS, type Route } from './applications.ts'
import { ask } from './ask.ts'
import { tokenWorld } from './token-world.ts'

/** What a function may throw, by what it reads as when it is taken for a word to the framework. */
const THROWN: Readonly<Record<string, unknown>> = {
  'an error': new Error('out of order'),
  nothing: undefined,
  null: null,
  'an empty text': '',
  'a word that skips a route': 'route',
  'a word that skips a router': 'router',
  'an object': { status: 200 },
}

for (const [name, start] of Object.entries(APPLICATIONS)) {
  for (const [what, thrown] of Object.entries(THROWN)) {
    const fail = () => {
      throw thrown
    }
    const reject = () => Promise.reject(thrown)
    const message = thrown instanceof Error ? 'out of order' : 'A function given to protect() threw'
    const failing: readonly (readonly [how: string, changes: Partial<Route>, token: 'good' | 'revoked'])[] = [
      ['businessId throws', { businessId: fail }, 'good'],
      ['businessId rejects', { businessId: reject }, 'good'],
      ['onRefused throws', { onRefused: fail }, 'revoked'],
      ['onRefused rejects', { onRefused: reject }, 'revoked'],
      ['the verifier throws', { verifier: { verify: fail } }, 'good'],
      ['the verifier rejects', { verifier: { verify: reject } }, 'good'],
    ]
    for (const [how, changes, token] of failing) {
      test(`${name}: when ${how} with ${what}, the framework handles it and the handler does not run`, async (t) => {
        const world = tokenWorld()
        let handled = 0
        const handle = () => {
          handled += 1
          return ''
        }
        const url = await start(t, { verifier: world.verifier, handle, ...changes })
        const { status, body } = await ask(url, [`Bearer ${world[token]}`])
        assert.deepEqual({ status, body, handled }, { status: 500, body: message, handled: 0 })
      })
    }
  }

  test(`${name}: what a handler throws goes to the framework`, async (t) => {
    const world = tokenWorld()
    const handle = () => {
      throw new Error('no reports')
    }
    const url = await start(t, { verifier: world.verifier, handle })
    const { status, body } = await ask(url, [`Bearer ${world.good}`])
    assert.deepEqual({ status, body }, { status: 500, body: 'no reports' })
  })

  test(`${name}: the business is looked for once the token is known to be good, and may be waited for`, async (t) => {
    const world = tokenWorld()
    let looked = 0
    const url = await start(t, {
      verifier: world.verifier,
      businessId: async (header) => {
        looked += 1
        return header('x-business-id')
      },
      handle: ({ userId }) => userId,
    })
    const refused: readonly string[][] = [[], [`Bearer ${world.revoked}`], [`Bearer ${world.forged}`]]
    for (const authorization of refused) assert.equal((await ask(url, authorization)).status, 401)
    assert.equal(looked, 0)
    assert.equal((await ask(url, [`Bearer ${world.good}`])).status, 403)
    assert.equal(looked, 1)
  })

  test(`${name}: a request is answered once onRefused is done, and as if it had changed nothing`, async (t) => {
    const world = tokenWorld()
    let isDone = false
    const url = await start(t, {
      verifier: world.verifier,
      onRefused: async (refusal) => {
        await new Promise(setImmediate)
        Object.assign(refusal, { status: 503 })
        isDone = true
      },
      handle: () => '',
    })
    assert.equal((await ask(url, [`Bearer ${world.revoked}`])).status, 401)
    assert.ok(isDone)
  })

  test(`${name}: a demand that is there but undefined, or no list, is met by no token`, async (t) => {
    const { verifier, good } = tokenWorld()
    for (const requirements of [{ businessId: undefined }, { scopes: undefined }, { scopes: 'reports:read' }]) {
      const url = await start(t, { verifier, requirements, handle: () => '' })
      assert.equal((await ask(url, [`Bearer ${good}`])).status, 403, JSON.stringify(requirements))
    }
  })

  test(`${name}: a requirement that does not exist is refused before there are requests`, async (t) => {
    const { verifier } = tokenWorld()
    const wrong: readonly unknown[] = [{ scope: ['reports:read'] }, ['reports:read'], 'reports:read', () => true, null]
    for (const requirements of wrong) {
      const route = { verifier, requirements: requirements as object, handle: () => '' }
      await assert.rejects(async () => start(t, route), TypeError, String(requirements))
    }
  })
}
