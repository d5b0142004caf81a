import type { Ending, EndingTarget, KnownToken, RunHistory } from '../history/run-history.ts'

/** What a history permits to happen to one token. In nanoseconds since the run began; infinite for never. */
export interface TokenBounds {
  /** Before this nobody could know the token. */
  readonly existsFromNs: number
  /** From then on it is good, as long as nobody ends it. */
  readonly goodFromNs: number
  /** From then on it may be rejected: somebody has sent what ends it. */
  readonly mayEndFromNs: number
  /** Whatever begins later must not accept it: the end of it was answered. */
  readonly deadFromNs: number
}

const NEVER = Number.POSITIVE_INFINITY

/** The bounds of every token, by number. */
export function tokenBounds({ tokens, endings }: Pick<RunHistory, 'tokens' | 'endings'>): TokenBounds[] {
  const byTarget = Map.groupBy(endings, ({ target }) => keyOf(target))
  return tokens.map((token, number) => boundsOf(token, endingsOf(token, number, byTarget)))
}

function endingsOf({ issued }: KnownToken, token: number, byTarget: ReadonlyMap<string, Ending[]>): Ending[] {
  const targets: EndingTarget[] = [{ kind: 'token', token }]
  if (issued !== null) {
    const { memberId, businessId } = issued
    targets.push({ kind: 'member', memberId }, { kind: 'business', businessId })
  }
  return targets.flatMap((target) => byTarget.get(keyOf(target)) ?? [])
}

function boundsOf({ issued }: KnownToken, endings: readonly Ending[]): TokenBounds {
  // What was never issued is never good, and may be rejected at any time.
  if (issued === null) return { existsFromNs: 0, goodFromNs: NEVER, mayEndFromNs: 0, deadFromNs: NEVER }
  let mayEndFromNs = NEVER
  let deadFromNs = NEVER
  for (const { target, attempts } of endings) {
    for (const { sentNs, endedNs, outcome } of attempts) {
      const isOwn = target.kind === 'token'
      // Ending all tokens of somebody spares what is issued later; between the two it may have gone either way.
      if (isOwn || issued.sentNs <= endedNs) mayEndFromNs = Math.min(mayEndFromNs, sentNs)
      if (outcome === 'answered' && (isOwn || issued.answeredNs < sentNs)) deadFromNs = Math.min(deadFromNs, endedNs)
    }
  }
  return { existsFromNs: issued.sentNs, goodFromNs: issued.answeredNs, mayEndFromNs, deadFromNs }
}

function keyOf(target: EndingTarget): string {
  switch (target.kind) {
    case 'token':
      return `token ${target.token}`
    case 'member':
      return `member ${target.memberId}`
    case 'business':
      return `business ${target.businessId}`
  }
}
