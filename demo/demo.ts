/** A service and eight verifier processes under load: what happens when a token is revoked, and when a process is frozen. */
import { type DemoArguments, readArguments, USAGE } from './demo-arguments.ts'
import { Interruption, interrupted } from './interruption.ts'
import { DemoModel } from './model/demo-model.ts'
import { isBroken } from './model/judge-revocation.ts'
import { Stage } from './processes/stage.ts'
import { playOnScreen } from './screen/play-on-screen.ts'
import { playScene } from './script/play-scene.ts'
import { summary } from './script/sentences.ts'

const VERIFIERS = 8

const options = readArguments(process.argv.slice(2))
if (options === undefined) process.stderr.write(USAGE)
process.exit(options === undefined ? 64 : await run(options))

/** @returns the exit code: 1 when a guarantee was broken, or something failed */
async function run({ leaseSeconds, isScripted }: DemoArguments): Promise<number> {
  const isInterrupted = interrupted()
  const model = new DemoModel(VERIFIERS, leaseSeconds * 1000)
  const stage = new Stage({ verifiers: VERIFIERS, leaseSeconds, tell: (event) => model.apply(event) })
  const stopped = Promise.race([stage.oneEnded, isInterrupted])
  try {
    const { stdin: input, stdout: output } = process
    if (isScripted || !input.isTTY || !output.isTTY) {
      await Promise.race([playScene(stage, model, (line) => output.write(`${line}\n`)), stopped])
    } else {
      await playOnScreen(stage, model, { input, output }, stopped)
      output.write(`${summary(model.state).join('\n')}\n`)
    }
    return isBroken(model.state.revocations) ? 1 : 0
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
    return error instanceof Interruption ? error.exitCode : 1
  } finally {
    await stage.end()
  }
}
