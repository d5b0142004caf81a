import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { BUGS } from '../bugs/bugs.ts'
import { forkSeeds } from '../fork-seeds.ts'
import { patched } from '../patched-source.ts'
import { AT_LEAST, runSeed } from '../run-seeds.ts'

describe('the simulation', () => {
  it('finds every guarantee and invariant to hold', async () => {
    const total = await forkSeeds(1, 60)
    assert.deepEqual(total.failures, [])
    assert.deepEqual(total.short, [], `at least ${AT_LEAST.minSteps} steps and ${AT_LEAST.minAnswers} revocations each`)
    assert.equal(total.seeds, 60)
  })

  it('repeats a run from its seed, and only from its seed', async () => {
    const [first, again, other] = [await runSeed(7), await runSeed(7), await runSeed(8)]
    assert.equal(first.hash, again.hash)
    assert.notEqual(first.hash, other.hash)
  })

  it('verifies and accepts enough for a conclusion', async () => {
    const { verifications, accepted, answers } = await runSeed(3)
    assert.ok(accepted > 20 && verifications > accepted + answers, `${accepted} of ${verifications} accepted`)
  })
})

describe('the simulation without a rule', () => {
  // The others take more seeds: `npm run simulate -- --bugs` takes every one of them away.
  const quick = ['a closed socket releases', 'acknowledged before it is applied', 'a node id is used again']
  for (const bug of BUGS.filter(({ name }) => quick.includes(name))) {
    it(`notices that ${bug.name}`, async () => {
      const { failures } = await forkSeeds(1, 20, bug.name)
      assert.equal(failures.at(-1)?.invariant, bug.breaks)
    })
  }

  it('knows where each rule is in the sources', () => {
    for (const { file, ...patch } of BUGS.flatMap(({ patches }) => patches)) {
      patched(readFileSync(join(import.meta.dirname, '../..', file), 'utf8'), [{ file, ...patch }])
    }
  })

  it('names every bug once, and an invariant for each', () => {
    assert.equal(new Set(BUGS.map(({ name }) => name)).size, BUGS.length)
    assert.ok(BUGS.every(({ breaks, patches }) => /^(?:G[1-4]|I\d+)$/.test(breaks) && patches.length > 0))
  })
})
