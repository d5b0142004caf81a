import assert from 'node:assert/strict'
import { test } from 'node:test'
import { machineMs } from '../machine-ms.ts'
import { DemoModel } from '../model/demo-model.ts'
import { Controls } from '../screen/controls.ts'

/** Controls of a stage without processes, and what it was told to do. */
function controlled() {
  const model = new DemoModel(8, 5_000)
  const done: string[] = []
  const stage = {
    revoke: async () => void done.push('revoke'),
    issue: async () => void done.push('issue'),
    freeze: (process: number | 'service') => {
      done.push(`freeze ${process}`)
      model.apply({ type: 'frozen', process, atMs: machineMs() })
    },
    wake: (process: number | 'service') => {
      done.push(`wake ${process}`)
      model.apply({ type: 'woken', process, atMs: machineMs() })
    },
  }
  return { model, done, controls: new Controls(stage, model) }
}

test('f freezes one verifier and wakes it again, and then it is the turn of the next', () => {
  const { model, done, controls } = controlled()
  model.apply({ type: 'issued', token: 1 })
  for (let press = 0; press < 13; press += 1) controls.press('f')
  const turns = [3, 4, 5, 6, 7, 8].flatMap((verifier) => [`freeze ${verifier}`, `wake ${verifier}`])
  assert.deepEqual(done, [...turns, 'freeze 1'])
})

test('before there is a token no key does anything, but q', async () => {
  const { done, controls } = controlled()
  for (const key of ['r', 'f', 's', 'x', 'q']) controls.press(key)
  assert.deepEqual(done, [])
  await controls.finished
})

test('a frozen service is asked for nothing, and is not frozen while it is', () => {
  const { model, done, controls } = controlled()
  model.apply({ type: 'issued', token: 1 })
  controls.press('s')
  controls.press('r')
  controls.press('s')
  assert.deepEqual(done, ['freeze service', 'wake service'])
  controls.press('r')
  controls.press('s')
  controls.press('r')
  assert.deepEqual(done, ['freeze service', 'wake service', 'revoke'])
})
