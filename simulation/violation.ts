/** A guarantee (G1–G4) or an invariant (I1–I17) of `docs/protocol.md` that did not hold. */
export class Violation extends Error {
  override readonly name = 'Violation'
  readonly invariant: string

  constructor(invariant: string, what: string) {
    super(`${invariant}: ${what}`)
    this.invariant = invariant
  }
}
