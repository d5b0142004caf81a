/** How a {@link LogBuffer} reaches the world. */
interface Deps {
  /** Takes complete lines. */
  readonly writeOut: (lines: string) => void
  /** Runs `flush` a little later. Called once for each batch. */
  readonly schedule: (flush: () => void) => void
}

/** Characters after which a batch does not wait any longer. */
const FULL = 16 * 1024

/**
 * A destination for pino that gathers lines into batches: one write for many requests. Flush it before the process
 * ends, and when a line must not be lost.
 */
export class LogBuffer {
  readonly #deps: Deps
  #lines: string[] = []
  #size = 0

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Called by pino with one line, newline included. */
  write(line: string): void {
    this.#lines.push(line)
    this.#size += line.length
    if (this.#size >= FULL) this.flush()
    else if (this.#lines.length === 1) this.#deps.schedule(() => this.flush())
  }

  flush(): void {
    if (this.#lines.length === 0) return
    const lines = this.#lines.join('')
    this.#lines = []
    this.#size = 0
    this.#deps.writeOut(lines)
  }
}
