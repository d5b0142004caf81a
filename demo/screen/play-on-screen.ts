import type { ReadStream, WriteStream } from 'node:tty'
import { machineMs } from '../machine-ms.ts'
import type { DemoModel } from '../model/demo-model.ts'
import type { Stage } from '../processes/stage.ts'
import { Controls } from './controls.ts'
import { KeyPresses } from './key-presses.ts'
import { render } from './render.ts'
import { TerminalScreen } from './terminal-screen.ts'

interface Terminal {
  readonly input: ReadStream
  readonly output: WriteStream
}

/**
 * Shows what happens on one screen and does what the keys say, until somebody has seen enough.
 *
 * @param stopped rejects when it is over for another reason
 */
export async function playOnScreen(
  stage: Stage,
  model: DemoModel,
  { input, output }: Terminal,
  stopped: Promise<never>,
): Promise<void> {
  const controls = new Controls(stage, model)
  const screen = new TerminalScreen(output, (size, paint) => render(model.state, machineMs(), size, paint))
  const keys = new KeyPresses(input, (name) => controls.press(name))
  try {
    const started = stage.start().then(() => controls.finished)
    await Promise.race([started, controls.finished, stopped])
  } finally {
    keys.close()
    screen.close()
  }
}
