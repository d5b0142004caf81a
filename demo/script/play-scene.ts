import { setTimeout as pause } from 'node:timers/promises'
import { machineMs } from '../machine-ms.ts'
import type { DemoModel } from '../model/demo-model.ts'
import type { DemoState, Revocation } from '../model/demo-state.ts'
import type { Stage } from '../processes/stage.ts'
import { loadSentence, revocationSentences, summary, waitingSentence, wakingSentence } from './sentences.ts'

const LOAD_MS = 750
const FROZEN = 3

/** How long anything may take that takes milliseconds. */
const PATIENCE_MS = 10_000

/** Plays the same scene each time, and tells of it line by line. Resolves when the last revocation has been looked at. */
export async function playScene(stage: Stage, model: DemoModel, print: (line: string) => void): Promise<void> {
  const { leaseMs, verifiers } = model.state
  print(`Starting a service that grants leases of ${leaseMs / 1000} s, and ${verifiers.length} verifier processes`)
  await stage.start()
  await model.until(allAccept, PATIENCE_MS)
  await pause(LOAD_MS)
  print(loadSentence(model.state, machineMs()))
  await revoke(stage, model, print)
  await issue(stage, model, print)

  print(`Freeze verifier ${FROZEN} (SIGSTOP)`)
  stage.freeze(FROZEN)
  await revoke(stage, model, print)
  await stage.issue()
  print(`Wake verifier ${FROZEN} (SIGCONT)`)
  stage.wake(FROZEN)
  const missed = () => last(model.state)
  await model.until(() => hasRefused(missed(), FROZEN), PATIENCE_MS)
  print(`  ${wakingSentence(missed(), FROZEN)}`)
  await model.until(allAccept, PATIENCE_MS)
  print(`  ${loadSentence(model.state, machineMs())}`)

  await revoke(stage, model, print)
  await oneMoreReport(model)
  for (const sentence of summary(model.state)) print(sentence)
}

/** Resolves when everybody who is not frozen has refused the token, and had the time to accept it again. */
async function revoke(stage: Stage, model: DemoModel, print: (line: string) => void): Promise<void> {
  print(`Revoke token ${model.state.token}`)
  const answered = stage.revoke()
  const waiting = waitingSentence(model.state, machineMs())
  if (waiting !== undefined) print(`  ${waiting}`)
  await answered
  await model.until(
    (state) =>
      state.verifiers.every(({ verifier, frozenMs }) => frozenMs !== null || hasRefused(last(state), verifier)),
    PATIENCE_MS,
  )
  await oneMoreReport(model)
  for (const sentence of revocationSentences(last(model.state), model.state.verifiers.length)) print(`  ${sentence}`)
}

async function issue(stage: Stage, model: DemoModel, print: (line: string) => void): Promise<void> {
  await stage.issue()
  await model.until(allAccept, PATIENCE_MS)
  print(`Token ${model.state.token} takes its place`)
}

/** Resolves when everybody who is not frozen has told what it has seen until now. */
async function oneMoreReport(model: DemoModel): Promise<void> {
  const nowMs = machineMs()
  await model.until(
    ({ verifiers }) =>
      verifiers.every(({ frozenMs, report }) => frozenMs !== null || (report !== null && report.atMs > nowMs)),
    PATIENCE_MS,
  )
}

function allAccept({ verifiers, token }: DemoState): boolean {
  return verifiers.every(({ report }) =>
    report?.tokens.some((seen) => seen.token === token && seen.verdict === 'valid'),
  )
}

function hasRefused({ seen }: Revocation, verifier: number): boolean {
  return typeof seen[verifier - 1]?.firstRefusedMs === 'number'
}

function last({ revocations }: DemoState): Revocation {
  const revocation = revocations.at(-1)
  if (revocation === undefined) throw new Error('Nothing was revoked')
  return revocation
}
