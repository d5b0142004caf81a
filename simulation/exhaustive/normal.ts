import { type HeldLease, permittedMs } from '@rescind/protocol'
import { coveredSeq, isOver } from '../../packages/server/revocations/attachment.ts'
import { INITIAL_FOLLOWER } from '../../packages/verifier/core/follower.ts'
import { ENTRY, NOW } from './setting.ts'
import { type Attached, type Connection, type Holder, idOf, type NodeProcess, type Side } from './world.ts'

/**
 * The form of everything that goes on in the same way: counters that only grow are set back, and what has ended for good
 * or is kept for reports alone is left out.
 */

/** What the counters of a holder stand at; those that have gone by are below. */
const CONNECTION = 100
const NONCE = 2
const EARLIER_NONCE = 1

export function normalSide({ holder, connections, attached, isCut, isPaused }: Side): Side {
  const { process } = holder
  const numbers = new Map([[idOf({ process, number: holder.state.connection }), CONNECTION]])
  const renumbered = <T extends { readonly process: number; readonly number: number }>(each: T): T => {
    const id = idOf(each)
    const number = numbers.get(id) ?? numbers.size
    numbers.set(id, number)
    return { ...each, number }
  }
  const numbered = attached
    .filter((each) => isStillOfUse(each, holder))
    .map((each) => [each, renumbered(each)] as const)
  const names = new Map(numbered.map(([each, as]) => [idOf(each), idOf(as)]))
  // What is not attached any more is named in vain.
  const named = (ids: readonly string[]) => ids.map((id) => names.get(id)).filter((id) => id !== undefined)
  return {
    holder: normalHolder(holder, named),
    attached: numbered.map(([{ attachment }, as]) => {
      return { ...as, attachment: { ...attachment, verifierId: idOf(as), formerly: named(attachment.formerly) } }
    }),
    connections: connections
      .map((each) => renumbered(normalConnection(each, holder, named)))
      .filter(({ isOpen, session, toHolder }) => isOpen || session !== null || toHolder.length > 0),
    isCut,
    isPaused,
  }
}

type Named = (ids: readonly string[]) => readonly string[]

/** Of a process that is gone and cannot be heard of any more, only what it keeps others waiting for is of use. */
function isStillOfUse({ attachment, process }: Attached, holder: Holder): boolean {
  if (isOver(attachment, NOW.monotonicMs)) return false
  return process === holder.process || attachment.isConnected || coveredSeq(attachment, NOW.monotonicMs) < ENTRY.seq
}

function normalHolder(holder: Holder, named: Named): Holder {
  const { state, origins } = holder
  const isKept = state.leases.map(isOfUse)
  if (state.phase === 'closed' && !isKept.includes(true)) {
    return { ...holder, state: { ...INITIAL_FOLLOWER, phase: 'closed' }, origins: [], todo: [] }
  }
  const isAsking = state.phase === 'following' ? state.asked !== null : state.phase !== 'waiting'
  return {
    ...holder,
    state: {
      ...state,
      connection: CONNECTION,
      verifierIds: named(state.verifierIds),
      nonce: NONCE,
      asked: state.asked && { ...state.asked, nonce: NONCE },
      leases: state.leases.filter((_, at) => isKept[at]),
      renewAtMs: state.phase === 'following' ? state.renewAtMs : 0,
      deadlineMs: isAsking ? state.deadlineMs : 0,
      failures: 0,
    },
    origins: origins.filter((_, at) => isKept[at]),
  }
}

function isOfUse(lease: HeldLease): boolean {
  return permittedMs([lease], Number.POSITIVE_INFINITY, NOW) > 0
}

function normalConnection(connection: Connection, { process, state }: Holder, named: Named): Connection {
  const isCurrent = connection.process === process
  const nonce = (is: number) => (isCurrent && is === state.asked?.nonce ? NONCE : EARLIER_NONCE)
  const toNode = connection.toNode.map((item) => {
    if (item.type === 'hello') return { ...item, formerly: named(item.formerly) }
    return item.type === 'renew' ? { ...item, nonce: nonce(item.nonce) } : item
  })
  const toHolder = connection.toHolder
    .filter((item) => connection.isOpen || item.type === 'grant')
    .map((item) => {
      if (item.type === 'welcome') return { ...item, verifierId: named([item.verifierId])[0] ?? '' }
      return item.type === 'grant' ? { ...item, nonce: nonce(item.nonce) } : item
    })
  // Nobody hears what comes for a process that is gone, or from one.
  return {
    ...connection,
    toNode: connection.session === null && connection.incarnation > 0 ? [] : toNode,
    toHolder: isCurrent ? toHolder : [],
  }
}

export function normalNode(node: NodeProcess): NodeProcess {
  const { wait } = node
  if (wait === null) return node
  const others = wait.others?.filter(({ endsMs }) => endsMs > NOW.monotonicMs) ?? null
  return { ...node, wait: { ...wait, others, sinceMs: 0, awaited: new Set(), applied: 0, waitedOut: 0 } }
}
