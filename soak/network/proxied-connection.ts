import type { Socket } from 'node:net'
import { type Condition, OneWay } from './one-way.ts'
import { resetSocket } from './reset-socket.ts'

/** Of both directions: `up` is from whoever connected to the service, `down` is back. */
export interface Conditions {
  readonly up: Condition
  readonly down: Condition
}

/** One connection through a proxy. */
export class ProxiedConnection {
  readonly #near: Socket
  readonly #far: Socket
  readonly #ways: readonly OneWay[]
  /** Resolves when nothing of it is left. */
  readonly closed: Promise<unknown>

  /**
   * @param near from whoever connected
   * @param far to the service, perhaps not connected yet
   */
  constructor(near: Socket, far: Socket, { up, down }: Conditions) {
    this.#near = near
    this.#far = far
    this.#ways = [new OneWay(near, far, up), new OneWay(far, near, down)]
    this.closed = Promise.all([closing(near), closing(far)])
  }

  /** See {@link OneWay.cutMidway}; whichever direction is first. */
  cutMidway(): void {
    for (const way of this.#ways) way.cutMidway()
  }

  /** Passes on what was held, unless something was lost: then both ends learn that the connection is gone. */
  resume(): void {
    if (this.#ways.some(({ hasLost }) => hasLost)) this.reset()
    else for (const way of this.#ways) way.pump()
  }

  /** Both ends learn at once that the connection is gone. */
  reset(): void {
    for (const way of this.#ways) way.stop()
    resetSocket(this.#near)
    resetSocket(this.#far)
  }
}

/** Resolves whatever the socket closes for. */
function closing(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => socket.once('close', resolve))
}
