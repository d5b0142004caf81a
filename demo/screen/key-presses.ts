import { emitKeypressEvents, type Key } from 'node:readline'
import type { ReadStream } from 'node:tty'

/** Hands over keys as they are pressed. */
export class KeyPresses {
  readonly #terminal: ReadStream
  readonly #onKey: (text: string | undefined, key: Key) => void

  /** @param onKey called with the name of a key; Ctrl-C is `q` */
  constructor(terminal: ReadStream, onKey: (name: string) => void) {
    this.#terminal = terminal
    this.#onKey = (_, { name, ctrl }) => {
      if (name !== undefined) onKey(ctrl === true && name === 'c' ? 'q' : name)
    }
    emitKeypressEvents(terminal)
    terminal.setRawMode(true)
    terminal.on('keypress', this.#onKey)
    // Emitted only while it is read.
    terminal.resume()
  }

  close(): void {
    this.#terminal.off('keypress', this.#onKey)
    // A terminal that is gone has no modes.
    if (!this.#terminal.destroyed) this.#terminal.setRawMode(false)
    this.#terminal.pause()
  }
}
