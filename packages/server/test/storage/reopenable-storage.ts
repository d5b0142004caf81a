import type { Position } from '@rescind/protocol'
import type { Storage, Transaction } from '../../storage/storage.ts'

/** A place where one storage lives, empty at first. */
export interface Backend {
  open(): Promise<Storage>
  /** Removes everything; the storage is closed by then. */
  destroy(): Promise<void>
}

/** The storage of a backend, which a test may close and open again. */
export class ReopenableStorage implements Storage {
  readonly #backend: () => Backend
  #storage: Storage | undefined

  constructor(backend: () => Backend) {
    this.#backend = backend
  }

  get read() {
    return this.#opened.read
  }
  get membership() {
    return this.#opened.membership
  }
  get failed() {
    return this.#opened.failed
  }
  transact<T>(unit: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#opened.transact(unit)
  }
  follow(after: Position, deliver: Parameters<Storage['follow']>[1]): Promise<void> {
    return this.#opened.follow(after, deliver)
  }
  async close(): Promise<void> {
    await this.#storage?.close()
  }

  /** Closes it, unless that has been done, and opens it again. */
  async reopen(): Promise<void> {
    await this.close()
    this.#storage = await this.#backend().open()
  }

  get #opened(): Storage {
    if (this.#storage === undefined) throw new Error('The storage has not been opened.')
    return this.#storage
  }
}
