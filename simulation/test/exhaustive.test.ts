import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { explore } from '../exhaustive/explore.ts'
import { exploreWithout } from '../exhaustive/explore-without.ts'
import { SMALL_INSTANCES } from '../exhaustive/instances.ts'
import { INVARIANT_NAMES } from '../exhaustive/invariants.ts'
import { RULES } from '../exhaustive/rules.ts'
import { start } from '../exhaustive/start.ts'

describe('every invariant holds in every state of two holders, one node, one revocation', () => {
  for (const [name, left] of Object.entries(SMALL_INSTANCES)) {
    test(`and ${name}`, () => {
      const { violation, unseen } = explore(start(left), INVARIANT_NAMES)
      assert.equal(violation, null)
      assert.deepEqual(unseen, [])
    })
  }
})

describe('the rules are needed', () => {
  for (const { name, without, small, breaks } of RULES) {
    test(`${name}: when ${without}, ${breaks} does not hold`, () => {
      assert.equal(exploreWithout(name, small).violation?.invariant, breaks)
    })
  }
})
