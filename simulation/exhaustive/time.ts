import type { HeldLease, Instant } from '@rescind/protocol'
import { attach } from '../../packages/server/revocations/attachment.ts'
import type { Sightings } from '../../packages/server/revocations/other-nodes.ts'
import { LEASE_MS, NOW, UNIT_MS } from './setting.ts'
import type { NodeProcess, Side } from './world.ts'

/** What a unit makes of everything that is kept relative to the present. */

export function passSide(side: Side): Side {
  const { holder, attached } = side
  const { state } = holder
  return {
    ...side,
    holder: {
      ...holder,
      state: {
        ...state,
        leases: state.leases.map(passLease),
        asked: state.asked && { ...state.asked, since: passInstant(state.asked.since) },
        renewAtMs: comes(state.renewAtMs),
        deadlineMs: comes(state.deadlineMs),
      },
    },
    attached: attached.map((each) => {
      const grants = each.attachment.grants.map(({ seq, endsMs }) => ({ seq, endsMs: comes(endsMs) }))
      const attachment = { ...each.attachment, grants }
      // It forgets what has ended with everything it hears; here it hears what it knows.
      const { appliedSeq: seq } = attachment
      return { ...each, attachment: attach(attachment, { type: 'applied', seq }, NOW.monotonicMs).attachment }
    }),
  }
}

export function passNode(node: NodeProcess): NodeProcess {
  const { lease, reading, wait, sightings } = node
  return {
    ...node,
    lease: {
      ...lease,
      leases: lease.leases.map(passLease),
      renewing: lease.renewing && passInstant(lease.renewing),
      renewAtMs: comes(lease.renewAtMs),
    },
    reading: reading && { ...reading, askedMs: was(reading.askedMs) },
    sightings: passSightings(sightings),
    wait: wait && {
      ...wait,
      others: wait.others?.map((each) => ({ ...each, endsMs: comes(each.endsMs) })) ?? null,
    },
    readMs: node.wait ? was(node.readMs) : 0,
  }
}

function passSightings(sightings: Sightings): Sightings {
  return new Map(
    [...sightings].map(([id, each]) => [id, { ...each, endsMs: Math.max(each.endsMs - UNIT_MS, -LEASE_MS) }]),
  )
}

function passLease(lease: HeldLease): HeldLease {
  return { ...lease, since: passInstant(lease.since) }
}

function passInstant({ monotonicMs, wallMs }: Instant): Instant {
  return { monotonicMs: was(monotonicMs), wallMs: was(wallMs) }
}

/** A time that was: no lease is longer than this. */
function was(ms: number): number {
  return Math.max(ms - UNIT_MS, -LEASE_MS)
}

/** A time that comes, or has come. */
function comes(ms: number): number {
  return Math.max(ms - UNIT_MS, 0)
}
