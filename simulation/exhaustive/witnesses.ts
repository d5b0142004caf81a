import { mayDecide } from '../../packages/verifier/core/follower.ts'
import { ENTRY, NOW } from './setting.ts'
import type { Left, World } from './world.ts'

/** A state that a run has to come across: one in which nothing of interest happens would find nothing wrong either. */
export interface Witness {
  readonly what: string
  readonly isPossible: (left: Left) => boolean
  readonly isSeen: (world: World) => boolean
}

export const WITNESSES: readonly Witness[] = [
  {
    what: 'the 201 is sent and everyone has applied the entry',
    isPossible: () => true,
    isSeen: ({ isAnswered, sides }) => isAnswered && sides.every(({ holder }) => holder.appliedSeq >= ENTRY.seq),
  },
  {
    what: 'the 201 is sent and a holder has not applied the entry',
    isPossible: ({ crashes, partitions, breaks, stops, pauses }) => crashes + partitions + breaks + stops + pauses > 0,
    isSeen: ({ isAnswered, sides }) => isAnswered && sides.some(({ holder }) => holder.appliedSeq < ENTRY.seq),
  },
  {
    what: 'a holder decides without the entry after it was committed',
    isPossible: () => true,
    isSeen: ({ headSeq, sides }) =>
      headSeq >= ENTRY.seq && sides.some(({ holder }) => holder.appliedSeq < ENTRY.seq && mayDecide(holder.state, NOW)),
  },
  {
    what: 'a lease names the entry before its holder has applied it',
    isPossible: () => true,
    isSeen: ({ sides }) =>
      sides.some(
        ({ holder }) => holder.appliedSeq < ENTRY.seq && holder.state.leases.some(({ seq }) => seq >= ENTRY.seq),
      ),
  },
  {
    what: 'the node crashes between the commit and its 201',
    isPossible: ({ crashes }) => crashes > 0,
    isSeen: ({ node, headSeq, isAnswered }) => node === null && headSeq >= ENTRY.seq && !isAnswered,
  },
  {
    what: 'the second process of the node waits for the leases of the first',
    isPossible: ({ crashes }) => crashes > 0,
    isSeen: ({ node }) => (node?.wait?.others?.length ?? 0) > 0,
  },
  {
    what: 'the second process of the node sends the 201',
    isPossible: ({ crashes }) => crashes > 0,
    isSeen: ({ node, isAnswered }) => isAnswered && node?.incarnation === 2 && node.request === 'answered',
  },
  {
    what: 'the row of the first process is removed',
    isPossible: ({ crashes }) => crashes > 0,
    isSeen: ({ node, rows }) => node?.incarnation === 2 && rows.length === 1,
  },
  {
    what: 'a holder decides while its link is cut',
    isPossible: ({ partitions }) => partitions > 0,
    isSeen: ({ sides }) => sides.some(({ holder, isCut }) => isCut && mayDecide(holder.state, NOW)),
  },
  {
    what: 'a holder decides while it has no connection',
    isPossible: ({ breaks }) => breaks > 0,
    isSeen: ({ sides }) => sides.some(({ holder }) => holder.state.phase === 'waiting' && mayDecide(holder.state, NOW)),
  },
  {
    what: 'a grant of an earlier connection is still on its way',
    isPossible: ({ partitions }) => partitions > 0,
    isSeen: ({ sides }) =>
      sides.some(
        ({ connections, isCut }) => !isCut && connections.some((each) => !each.isOpen && each.toHolder.length > 0),
      ),
  },
  {
    what: 'a renewal takes longer than a unit',
    isPossible: ({ slow }) => slow > 0,
    isSeen: ({ node }) => (node?.lease.renewing?.monotonicMs ?? 0) < 0,
  },
]
