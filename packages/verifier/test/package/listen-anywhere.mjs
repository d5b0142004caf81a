// Loaded in front of a server: it listens on a free port of this machine, whatever it asks for, and tells who started it.
import { Server } from 'node:net'

const { listen } = Server.prototype

Server.prototype.listen = function (...args) {
  this.once('listening', () => process.send({ port: this.address().port }))
  return listen.call(
    this,
    { port: 0, host: '127.0.0.1' },
    args.find((arg) => typeof arg === 'function'),
  )
}
