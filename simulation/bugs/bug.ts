import type { Patch } from '../patched-source.ts'

/** A rule taken away, and what must notice. */
export interface Bug {
  readonly name: string
  /** Of the rules of `docs/protocol.md`. */
  readonly rule: number
  /** The invariant that the rule is there for. */
  readonly breaks: string
  readonly patches: readonly Patch[]
}
