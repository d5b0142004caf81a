/** What no history of a sound service has. */
export const VIOLATIONS = {
  late_accept: 'a token was accepted by a verification that began after its revocation was answered',
  false_rejection: 'a token was rejected that nobody had begun to end',
  wrong_reason: 'a token that was issued was rejected for another reason than its revocation',
  accepted_unissued: 'a token was accepted that was never issued',
  taken_back: 'a verifier that decides alone accepted what it had rejected as revoked before',
  impossible: 'a record tells of what cannot have happened',
  unanswered: 'a revocation was never answered, though it was asked for again and again',
} as const

export type ViolationKind = keyof typeof VIOLATIONS

export interface Violation {
  readonly kind: ViolationKind
  /** Where in the history it is. */
  readonly where: string
}

/** Every one counts; only the first ones are described. */
export class Violations {
  static readonly #DESCRIBED = 20
  readonly described: Violation[] = []
  readonly #counts = new Map<ViolationKind, number>()

  add(kind: ViolationKind, where: string): void {
    this.#counts.set(kind, this.count(kind) + 1)
    if (this.described.length < Violations.#DESCRIBED) this.described.push({ kind, where })
  }

  count(kind: ViolationKind): number {
    return this.#counts.get(kind) ?? 0
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0)
  }
}
