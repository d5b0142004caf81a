import type { Position, VerifierMessage } from '@rescind/protocol'
import {
  type AttachmentEvent,
  attach,
  type GrantEffect,
  newAttachment,
  ofFormer,
} from '../../packages/server/revocations/attachment.ts'
import { grantableMs } from '../../packages/server/revocations/node-lease.ts'
import { withConnection } from './holder.ts'
import { ENTRY, NOW, positionAt, snapshotAt, WELCOME } from './setting.ts'
import { type Connection, idOf, type NodeProcess, type Session, type Side, type ToHolder } from './world.ts'

/** Does at the node's end of a connection what its shell does, with everything that it keeps of the verifier. */

type Applied = Extract<VerifierMessage, { type: 'applied' }>
type Hello = Extract<VerifierMessage, { type: 'hello' }>

interface Heard {
  readonly node: NodeProcess
  readonly side: Side
}

/** What came first on a connection reaches the node. */
export function deliverToNode(
  node: NodeProcess | null,
  side: Side,
  at: number,
): { node: NodeProcess | null; side: Side } {
  const connection = connectionAt(side, at)
  const [item, ...toNode] = connection.toNode
  if (item === undefined) throw new Error('There is nothing to deliver')
  const rest = { ...connection, toNode }
  const heard = withConnection(side, at, rest)
  if (rest.session === null) return { node, side: heard }
  if (item.type === 'close') return { node, side: closed(heard, at) }
  if (node === null) return { node, side: heard }
  return receive({ node, side: heard }, at, rest.session, item)
}

/** Whether the verifier has not been sent everything that the node has applied. */
export function canAdvance(node: NodeProcess, session: Session): boolean {
  return session.phase === 'following' && session.sentSeq < node.appliedSeq
}

/** Sends the entry. */
export function advance(side: Side, at: number): Side {
  return send(sentUpTo(side, at, ENTRY.seq), at, { type: 'entries', entries: [ENTRY] })
}

/** The node takes the connection. */
export function accept({ incarnation }: NodeProcess, side: Side, at: number): Side {
  const session: Session = { phase: 'greeting', sentSeq: 0, unacknowledged: [] }
  return withConnection(side, at, { ...connectionAt(side, at), session, incarnation })
}

function receive({ node, side }: Heard, at: number, session: Session, message: VerifierMessage): Heard {
  const isLast = message.type === 'applied' || message.type === 'goodbye'
  if (session.phase === 'closing' && !isLast) return { node, side }
  if ((session.phase === 'greeting') !== (message.type === 'hello')) return { node, side: end(side, at) }
  switch (message.type) {
    case 'hello':
      return greet({ node, side }, at, message)
    case 'renew':
      return { node, side: renew(node, side, at, message.nonce) }
    case 'applied':
      return { node, side: acknowledge(side, at, session, message) }
    case 'goodbye':
      return { node, side: end(onAttachment(side, at, { type: 'goodbye' }).side, at) }
    case 'usage':
      return { node, side }
  }
}

function greet({ node, side }: Heard, at: number, { position, formerly }: Hello): Heard {
  const { number, process } = connectionAt(side, at)
  const isOurs = position === null || isInLog(node, position)
  const verifierId = idOf({ number, process })
  const attached = [...side.attached, { attachment: newAttachment(verifierId, formerly), process, number }]
  const welcomed = send({ ...side, attached }, at, { ...WELCOME, verifierId, resync: !isOurs })
  const following = withSession(welcomed, at, { phase: 'following' })
  if (position === null || !isOurs) return sendSnapshot(node, following, at)
  const known = onAttachment(following, at, { type: 'applied', seq: position.seq }).side
  return { node, side: withSession(known, at, { sentSeq: position.seq }) }
}

function isInLog({ appliedSeq }: NodeProcess, { seq, hash }: Position): boolean {
  return seq <= appliedSeq && positionAt(seq).hash === hash
}

/** The first one made serves everybody. */
function sendSnapshot(node: NodeProcess, side: Side, at: number): Heard {
  const seq = node.snapshotSeq ?? node.appliedSeq
  const { bytes, sha256 } = snapshotAt(seq)
  const announced = send(side, at, { type: 'snapshot', position: positionAt(seq), bytes: bytes.length, sha256 })
  return { node: { ...node, snapshotSeq: seq }, side: send(sentUpTo(announced, at, seq), at, { type: 'piece', seq }) }
}

function renew(node: NodeProcess, side: Side, at: number, nonce: number): Side {
  const seq = node.appliedSeq
  const grantable = { leftMs: grantableMs(node.lease, seq, NOW), seq }
  const { side: granted, effects } = onAttachment(side, at, { type: 'renew', nonce, grantable })
  return effects.reduce((next, grant) => send(next, at, grant), granted)
}

/** Only what was sent can have been applied. */
function acknowledge(side: Side, at: number, { unacknowledged }: Session, { seq, hash }: Applied): Side {
  const sent = unacknowledged.indexOf(seq)
  if (sent === -1 || positionAt(seq).hash !== hash) return end(side, at)
  const acknowledged = withSession(side, at, { unacknowledged: unacknowledged.slice(sent + 1) })
  return onAttachment(acknowledged, at, { type: 'applied', seq }).side
}

function end(side: Side, at: number): Side {
  if (connectionAt(side, at).session?.phase === 'closing') return side
  return withSession(send(side, at, { type: 'close' }), at, { phase: 'closing' })
}

/** An end that is closed by the other answers with the same. */
function closed(side: Side, at: number): Side {
  const connection = connectionAt(side, at)
  const isAnswered = connection.session?.phase === 'closing'
  const toHolder: readonly ToHolder[] = isAnswered ? connection.toHolder : [...connection.toHolder, { type: 'close' }]
  const gone = withConnection(side, at, { ...connection, toHolder, toNode: [], session: null })
  return onAttachment(gone, at, { type: 'disconnected' }).side
}

function onAttachment(side: Side, at: number, event: AttachmentEvent): { side: Side; effects: readonly GrantEffect[] } {
  const verifierId = idOf(connectionAt(side, at))
  const further = ofFormer(event)
  const known = side.attached.find(({ attachment }) => attachment.verifierId === verifierId)
  const formerly = further === undefined ? [] : (known?.attachment.formerly ?? [])
  const told = formerly.reduce((next, id) => onOne(next, id, further ?? event).side, side)
  return onOne(told, verifierId, event)
}

function onOne(side: Side, verifierId: string, event: AttachmentEvent) {
  const index = side.attached.findIndex(({ attachment }) => attachment.verifierId === verifierId)
  const known = side.attached[index]
  if (known === undefined) return { side, effects: [] }
  const { attachment, effects } = attach(known.attachment, event, NOW.monotonicMs)
  return { side: { ...side, attached: side.attached.with(index, { ...known, attachment }) }, effects }
}

function sentUpTo(side: Side, at: number, seq: number): Side {
  const unacknowledged = [...(connectionAt(side, at).session?.unacknowledged ?? []), seq]
  return withSession(side, at, { sentSeq: seq, unacknowledged })
}

function send(side: Side, at: number, item: ToHolder): Side {
  const connection = connectionAt(side, at)
  return withConnection(side, at, { ...connection, toHolder: [...connection.toHolder, item] })
}

function withSession(side: Side, at: number, change: Partial<Session>): Side {
  const connection = connectionAt(side, at)
  if (connection.session === null) return side
  return withConnection(side, at, { ...connection, session: { ...connection.session, ...change } })
}

function connectionAt(side: Side, at: number): Connection {
  const connection = side.connections[at]
  if (connection === undefined) throw new Error('There is no such connection')
  return connection
}
