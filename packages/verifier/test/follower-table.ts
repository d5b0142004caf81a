import type { Stand } from './follower-states.ts'

/**
 * States × events of a follower: what each event does in each state. States are named as `nameOf` does, for instance
 * `Fpa`: following, placed in the log, asking for a lease. `-` is what cannot happen: there is no connection in that
 * state for it to come from.
 */
export const TABLE = `
                        idle Wn   Wh   Wp   Wd   Cn   Ch   Cp   Cd   Gn   Gh   Gp   Gd   closed
start                   con  .    .    .    .    .    .    .    .    .    .    .    .    .
retry                   .    con  con  con  con  .    .    .    .    .    .    .    .    .
stop                    end  end  end  end  end  bye  bye  bye  bye  bye  bye  bye  bye  .
cannot_apply            cap  cap  cap  cap  cap  mis  mis  mis  mis  mis  mis  mis  mis  .
due early               .    .    .    .    .    .    .    .    .    .    .    .    .    .
due renewal             .    .    .    .    .    .    .    .    .    .    .    .    .    .
due late                .    .    .    .    .    sil  sil  sil  sil  sil  sil  sil  sil  .
connected               -    -    -    -    -    hel  hel  hel  hel  .    .    .    .    .
disconnected            -    -    -    -    -    dis  dis  dis  dis  dis  dis  dis  dis  .
unreadable              -    -    -    -    -    bad  bad  bad  bad  bad  bad  bad  bad  .
piece part              -    -    -    -    -    bad  bad  bad  bad  bad  bad  bad  bad  .
piece rest              -    -    -    -    -    bad  bad  bad  bad  bad  bad  bad  bad  .
piece altered           -    -    -    -    -    bad  bad  bad  bad  bad  bad  bad  bad  .
piece too_long          -    -    -    -    -    bad  bad  bad  bad  bad  bad  bad  bad  .
piece empty             -    -    -    -    -    bad  bad  bad  bad  bad  bad  bad  bad  .
welcome same            -    -    -    -    -    bad  bad  bad  bad  new  wel  wel  wel  .
welcome other_epoch     -    -    -    -    -    bad  bad  bad  bad  new  wld  wld  wld  .
welcome other_issuer    -    -    -    -    -    bad  bad  bad  bad  new  oth  oth  oth  .
welcome other_prefix    -    -    -    -    -    bad  bad  bad  bad  new  oth  oth  oth  .
welcome resync          -    -    -    -    -    bad  bad  bad  bad  new  wel  wld  wel  .
snapshot ahead          -    -    -    -    -    bad  bad  bad  bad  bad  bad  bad  bad  .
snapshot other_epoch    -    -    -    -    -    bad  bad  bad  bad  bad  bad  bad  bad  .
snapshot too_long       -    -    -    -    -    bad  bad  bad  bad  bad  bad  bad  bad  .
entries next            -    -    -    -    -    bad  bad  bad  bad  bad  bad  bad  bad  .
entries next_two        -    -    -    -    -    bad  bad  bad  bad  bad  bad  bad  bad  .
entries gap             -    -    -    -    -    bad  bad  bad  bad  bad  bad  bad  bad  .
entries swapped         -    -    -    -    -    bad  bad  bad  bad  bad  bad  bad  bad  .
entries repeated        -    -    -    -    -    bad  bad  bad  bad  bad  bad  bad  bad  .
entries altered         -    -    -    -    -    bad  bad  bad  bad  bad  bad  bad  bad  .
entries other_log       -    -    -    -    -    bad  bad  bad  bad  bad  bad  bad  bad  .
entries second_altered  -    -    -    -    -    bad  bad  bad  bad  bad  bad  bad  bad  .
grant answer            -    -    -    -    -    bad  bad  bad  bad  bad  bad  bad  bad  .
grant names_next        -    -    -    -    -    bad  bad  bad  bad  bad  bad  bad  bad  .
grant too_long          -    -    -    -    -    bad  bad  bad  bad  bad  bad  bad  bad  .
grant earlier           -    -    -    -    -    bad  bad  bad  bad  bad  bad  bad  bad  .
grant later             -    -    -    -    -    bad  bad  bad  bad  bad  bad  bad  bad  .
goodbye leaving         -    -    -    -    -    lea  lea  lea  lea  lea  lea  lea  lea  .
goodbye credential      -    -    -    -    -    cre  cre  cre  cre  cre  cre  cre  cre  .

                        Fh   Fha  Fhs  Fhas Fp   Fpa  Fps  Fpas Fd   Fda  Fds  Fdas
start                   .    .    .    .    .    .    .    .    .    .    .    .
retry                   .    .    .    .    .    .    .    .    .    .    .    .
stop                    bye  bye  bye  bye  bye  bye  bye  bye  bye  bye  bye  bye
cannot_apply            mis  mis  mis  mis  mis  mis  mis  mis  mis  mis  mis  mis
due early               .    .    .    .    .    .    .    .    .    .    .    .
due renewal             ask  .    ask  .    ask  .    ask  .    ask  .    ask  .
due late                ask  sil  ask  sil  ask  sil  ask  sil  ask  sil  ask  sil
connected               .    .    .    .    .    .    .    .    .    .    .    .
disconnected            dis  dis  dis  dis  dis  dis  dis  dis  dis  dis  dis  dis
unreadable              bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad
piece part              bad  bad  pie  pie  bad  bad  pie  pie  bad  bad  pie  pie
piece rest              bad  bad  uni  uni  bad  bad  uni  uni  bad  bad  res  res
piece altered           bad  bad  dam  dam  bad  bad  dam  dam  bad  bad  dam  dam
piece too_long          bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad
piece empty             bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad
welcome same            bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad
welcome other_epoch     bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad
welcome other_issuer    bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad
welcome other_prefix    bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad
welcome resync          bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad
snapshot ahead          ann  ann  bad  bad  ann  ann  bad  bad  ann  ann  bad  bad
snapshot other_epoch    bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad
snapshot too_long       bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad
entries next            bad  bad  bad  bad  app  app  app  app  bad  bad  bad  bad
entries next_two        bad  bad  bad  bad  app  app  app  app  bad  bad  bad  bad
entries gap             bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad
entries swapped         bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad
entries repeated        bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad
entries altered         bad  bad  bad  bad  mis  mis  mis  mis  bad  bad  bad  bad
entries other_log       bad  bad  bad  bad  mis  mis  mis  mis  bad  bad  bad  bad
entries second_altered  bad  bad  bad  bad  mis  mis  mis  mis  bad  bad  bad  bad
grant answer            bad  gra  bad  gra  bad  gra  bad  gra  bad  gra  bad  gra
grant names_next        bad  grn  bad  grn  bad  grn  bad  grn  bad  grn  bad  grn
grant too_long          bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad
grant earlier           bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad
grant later             bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad  bad
goodbye leaving         lea  lea  lea  lea  lea  lea  lea  lea  lea  lea  lea  lea
goodbye credential      cre  cre  cre  cre  cre  cre  cre  cre  cre  cre  cre  cre
`

/** What happens in a cell of the table. */
export interface Outcome {
  /** What is different in the next state. */
  readonly next: Partial<Stand>
  readonly effects: readonly string[]
  /**
   * Whether it may decide then, when it had no lease, one that holds, one that names the next entry, both of these, or
   * one that has lapsed. In a state that is not placed in the log it never may.
   */
  readonly decides: string
}

const KEPT = '-+-+-'
const VOID = '-----'
const NEXT_APPLIED = '-+++-'

const disconnected = { phase: 'waiting', isAsking: false, isDownloading: false } as const
const diverged = { applied: 'diverged' } as const

export const OUTCOMES: Readonly<Record<string, Outcome>> = {
  '.': { next: {}, effects: [], decides: KEPT },
  con: { next: { phase: 'connecting' }, effects: ['connect'], decides: KEPT },
  hel: { next: { phase: 'greeting' }, effects: ['send hello'], decides: KEPT },
  new: {
    next: { phase: 'following', applied: 'home', isAsking: true },
    effects: ['welcomed', 'send renew'],
    decides: KEPT,
  },
  wel: { next: { phase: 'following', isAsking: true }, effects: ['welcomed', 'send renew'], decides: KEPT },
  wld: {
    next: { phase: 'following', isAsking: true, ...diverged },
    effects: ['welcomed', 'notify log_mismatch', 'send renew'],
    decides: VOID,
  },
  ask: { next: { isAsking: true }, effects: ['send renew'], decides: KEPT },
  gra: { next: { isAsking: false }, effects: [], decides: '+++++' },
  grn: { next: { isAsking: false }, effects: [], decides: KEPT },
  app: { next: {}, effects: ['apply', 'send applied'], decides: NEXT_APPLIED },
  ann: { next: { isDownloading: true }, effects: [], decides: KEPT },
  pie: { next: {}, effects: [], decides: KEPT },
  uni: {
    next: { applied: 'placed', isDownloading: false },
    effects: ['unite', 'send applied'],
    decides: NEXT_APPLIED,
  },
  res: {
    next: { applied: 'placed', isDownloading: false },
    effects: ['unite', 'send applied', 'notify resynced'],
    decides: NEXT_APPLIED,
  },
  cap: { next: diverged, effects: ['notify log_mismatch'], decides: VOID },
  mis: { next: { ...disconnected, ...diverged }, effects: gaveUp(4409, 'log_mismatch'), decides: VOID },
  dam: { next: { ...disconnected, ...diverged }, effects: gaveUp(4409, 'snapshot_damaged'), decides: VOID },
  bad: { next: disconnected, effects: gaveUp(4400, 'bad_message'), decides: KEPT },
  oth: { next: disconnected, effects: gaveUp(1000, 'wrong_service'), decides: KEPT },
  sil: { next: disconnected, effects: gaveUp(4408, 'disconnected'), decides: KEPT },
  dis: { next: disconnected, effects: ['pause'], decides: KEPT },
  lea: { next: disconnected, effects: ['disconnect 1000', 'pause'], decides: KEPT },
  cre: {
    next: disconnected,
    effects: ['send goodbye', 'disconnect 1000', 'pause', 'notify credential_ended'],
    decides: VOID,
  },
  bye: { next: { phase: 'closed' }, effects: ['send goodbye', 'disconnect 1000'], decides: VOID },
  end: { next: { phase: 'closed' }, effects: [], decides: VOID },
}

function gaveUp(code: number, notice: string): string[] {
  return [`disconnect ${code}`, 'pause', `notify ${notice}`]
}

/** The cells of {@link TABLE}: by event, then by state. */
export function readTable(): Map<string, Map<string, string>> {
  const cells = new Map<string, Map<string, string>>()
  for (const part of TABLE.trim().split('\n\n')) {
    const [head = '', ...rows] = part.split('\n')
    const states = head.trim().split(/\s+/)
    for (const row of rows) {
      const event = row.slice(0, 24).trim()
      const codes = row.slice(24).trim().split(/\s+/)
      if (codes.length !== states.length) throw new Error(`Not one cell for each state: ${event}`)
      const known = cells.get(event) ?? new Map<string, string>()
      for (const [at, state] of states.entries()) known.set(state, codes[at] ?? '')
      cells.set(event, known)
    }
  }
  return cells
}
