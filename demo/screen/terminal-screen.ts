import type { WriteStream } from 'node:tty'
import { styleText } from 'node:util'
import { createLogUpdate } from 'log-update'
import type { Paint } from './line.ts'
import type { Size } from './render.ts'

const REDRAWN_EVERY_MS = 100
const OTHER_SCREEN = '\u001B[?1049h'
const FIRST_SCREEN = '\u001B[?1049l'
const CLEAR = '\u001B[2J\u001B[H'

/** Fills the terminal with what is drawn, again and again, and gives it back as it was. */
export class TerminalScreen {
  readonly #terminal: WriteStream
  readonly #update: ReturnType<typeof createLogUpdate>
  readonly #timer: NodeJS.Timeout

  constructor(terminal: WriteStream, draw: (size: Size, paint: Paint) => string) {
    const paint: Paint = (style, text) => styleText(style, text, { stream: terminal })
    const redraw = () => this.#update(draw({ columns: terminal.columns, rows: terminal.rows }, paint))
    this.#terminal = terminal
    this.#update = createLogUpdate(terminal)
    terminal.write(OTHER_SCREEN + CLEAR)
    terminal.on('resize', () => {
      this.#update.clear()
      terminal.write(CLEAR)
      redraw()
    })
    this.#timer = setInterval(redraw, REDRAWN_EVERY_MS)
    redraw()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#terminal.removeAllListeners('resize')
    this.#update.done()
    this.#terminal.write(FIRST_SCREEN)
  }
}
