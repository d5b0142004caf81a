import {
  type FollowerEffect,
  type FollowerEvent,
  follow,
  INITIAL_FOLLOWER,
  wakeAtMs,
} from '../../packages/verifier/core/follower.ts'
import { NOW, snapshotAt } from './setting.ts'
import type { Connection, Holder, Side, ToHolder } from './world.ts'

/** Does for the state machine of a verifier what its shell does. */

export function newHolder(process: number): Holder {
  return { state: INITIAL_FOLLOWER, appliedSeq: -1, origins: [], todo: [], process }
}

/** @param origin incarnation that the event comes from */
export function hear(side: Side, event: FollowerEvent, origin = 0): Side {
  const { holder } = side
  const { state, effects } = follow(holder.state, event, NOW)
  const origins = state.leases.map((lease) => holder.origins[holder.state.leases.indexOf(lease)] ?? origin)
  return goOn({ ...side, holder: { ...holder, state, origins, todo: effects } })
}

/** Runs what is to be done, up to what follows a message that was sent: in between, others act on that. */
export function goOn(side: Side): Side {
  let next = side
  let hasSent = false
  const { todo } = side.holder
  for (const [at, effect] of todo.entries()) {
    if (hasSent && isApplying(effect)) return { ...next, holder: { ...next.holder, todo: todo.slice(at) } }
    hasSent ||= effect.type === 'send'
    next = run(next, effect)
  }
  return todo.length === 0 ? next : { ...next, holder: { ...next.holder, todo: [] } }
}

/** Whether the state machine asks for the time to be told now. */
export function isDue({ state }: Holder): boolean {
  const atMs = wakeAtMs(state, NOW)
  return atMs !== undefined && atMs <= NOW.monotonicMs
}

/** What came first on a connection reaches the holder. */
export function deliverToHolder(side: Side, at: number): Side {
  const connection = side.connections[at]
  const [item, ...toHolder] = connection?.toHolder ?? []
  if (connection === undefined || item === undefined) throw new Error('There is nothing to deliver')
  const rest = { ...connection, toHolder }
  if (item.type !== 'close') {
    return hear(withConnection(side, at, rest), eventOf(item, connection.number), connection.incarnation)
  }
  // An end that is closed by the other answers with the same.
  const closed: Connection = connection.isOpen
    ? { ...rest, isOpen: false, toNode: connection.session === null ? [] : [...connection.toNode, { type: 'close' }] }
    : rest
  return hear(withConnection(side, at, closed), { type: 'disconnected', connection: connection.number })
}

export function withConnection(side: Side, at: number, connection: Connection): Side {
  return { ...side, connections: side.connections.with(at, connection) }
}

function eventOf(item: Exclude<ToHolder, { type: 'close' }>, connection: number): FollowerEvent {
  if (item.type === 'piece') return { type: 'piece', connection, bytes: snapshotAt(item.seq).bytes }
  return { type: 'message', connection, message: item }
}

function isApplying({ type }: FollowerEffect): boolean {
  return type === 'apply' || type === 'unite'
}

function run(side: Side, effect: FollowerEffect): Side {
  const { holder, connections } = side
  switch (effect.type) {
    case 'connect': {
      const { process } = holder
      const opening: Connection = {
        number: effect.connection,
        process,
        isOpen: true,
        toNode: [],
        toHolder: [],
        session: null,
        incarnation: 0,
      }
      return { ...side, connections: [...connections, opening] }
    }
    case 'send':
      return onSocket(side, (socket) => ({ ...socket, toNode: [...socket.toNode, effect.message] }))
    case 'disconnect':
      return onSocket(side, (socket) => ({ ...socket, isOpen: false, toNode: [...socket.toNode, { type: 'close' }] }))
    case 'apply':
      return applied(side, effect.entries.at(-1)?.seq ?? 0)
    case 'unite':
      return applied(side, effect.snapshot.position.seq)
    default:
      return side
  }
}

/** What is sent on a connection that has closed is lost. */
function onSocket(side: Side, change: (socket: Connection) => Connection): Side {
  const at = side.connections.findLastIndex(({ isOpen, process }) => isOpen && process === side.holder.process)
  const socket = side.connections[at]
  return socket === undefined ? side : withConnection(side, at, change(socket))
}

/** What was revoked stays revoked. */
function applied(side: Side, seq: number): Side {
  return { ...side, holder: { ...side.holder, appliedSeq: Math.max(side.holder.appliedSeq, seq) } }
}
