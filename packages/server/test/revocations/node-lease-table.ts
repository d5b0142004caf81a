import type { NodeLeaseState } from '../../revocations/node-lease.ts'

/**
 * States × events of the lease of a node. The states: outside, joining, member, member that renews, leaving, leaving
 * with a renewal in flight, left.
 */
export const TABLE = `
                  outside joining member renewing leaving late left
join              joi     .       .      .        .       .    .
joined            .       mem     .      .        .       .    .
join_failed       .       fai     .      .        .       .    .
due early         .       .       .      .        .       .    .
due late          rej     .       ren    .        .       .    .
missed soon       .       .       .      .        .       .    .
missed later      .       .       ren    .        .       .    .
renewed level     .       .       .      got      .       got  .
renewed ahead     .       .       .      gon      .       gon  .
renewal_failed    los     los     los    los      los     los  los
not_member        voi     voi     out    out      voi     voi  voi
leave             lea     lea     lea    lea      .       lea  lea
all_gone          .       .       .      .        lef     lef  .
`

/** What happens in a cell of the table. */
export interface Outcome {
  readonly phase?: NodeLeaseState['phase']
  readonly isRenewing?: boolean
  readonly effect?: 'join' | 'renew' | 'leave' | 'rejoin'
  /**
   * Whether it may decide then, when it had no lease, one that holds, one that names the next entry, both of these, or
   * one that has lapsed.
   */
  readonly decides: string
}

const KEPT = '-+-+-'
const VOID = '-----'

export const OUTCOMES: Readonly<Record<string, Outcome>> = {
  '.': { decides: KEPT },
  joi: { phase: 'joining', effect: 'join', decides: VOID },
  mem: { phase: 'member', isRenewing: true, effect: 'renew', decides: KEPT },
  fai: { phase: 'outside', decides: KEPT },
  rej: { effect: 'rejoin', decides: KEPT },
  ren: { isRenewing: true, effect: 'renew', decides: KEPT },
  got: { isRenewing: false, decides: '+++++' },
  gon: { isRenewing: false, decides: KEPT },
  los: { isRenewing: false, decides: KEPT },
  voi: { isRenewing: false, decides: VOID },
  out: { phase: 'outside', isRenewing: false, effect: 'rejoin', decides: VOID },
  lea: { phase: 'leaving', decides: KEPT },
  lef: { phase: 'left', isRenewing: false, effect: 'leave', decides: VOID },
}

/** The cells of {@link TABLE}: by event, then by state. */
export function readTable(): Map<string, Map<string, string>> {
  const [head = '', ...rows] = TABLE.trim().split('\n')
  const states = head.trim().split(/\s+/)
  return new Map(
    rows.map((row) => {
      const codes = row.slice(18).trim().split(/\s+/)
      return [row.slice(0, 18).trim(), new Map(states.map((state, at) => [state, codes[at] ?? '']))]
    }),
  )
}
