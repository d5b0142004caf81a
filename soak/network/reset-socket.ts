import type { Socket } from 'node:net'

/**
 * Has the other end see a reset (RST). One that has still something to send is only closed.
 *
 * Node never closes a socket that fails in the moment between its end and its reset, and spins for ever on it. Right
 * after the events of the network were handled, its end takes effect before anything else can happen to it.
 */
export function resetSocket(socket: Socket): void {
  setImmediate(() => {
    const isEnding = socket.writableEnded && !socket.writableFinished
    if (socket.connecting || isEnding || socket.writableLength > 0) socket.destroy()
    else socket.resetAndDestroy()
  })
}
