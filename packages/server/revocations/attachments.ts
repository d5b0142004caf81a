import {
  type Attachment,
  type AttachmentEvent,
  attach,
  coveredSeq,
  type GrantEffect,
  isOver,
  newAttachment,
  ofFormer,
} from './attachment.ts'

/** More than these are not kept count of, whoever asks. */
const MAX_ATTACHMENTS = 10_000

/** Every verifier attached to one node, those included whose connection is gone. */
export class Attachments {
  readonly #nowMs: () => number
  readonly #byId = new Map<string, Attachment>()
  /** The least that one of them covers, and how many cover no more, when that was last looked at. */
  #lowest = { seq: 0, count: 0 }

  /** @param nowMs the monotonic clock of the node */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  get byId(): ReadonlyMap<string, Attachment> {
    return this.#byId
  }

  get isFull(): boolean {
    return this.#byId.size >= MAX_ATTACHMENTS
  }

  /** When the last lease granted to any of them ends; `-Infinity` when there is none. */
  get lastGrantEndMs(): number {
    let lastMs = Number.NEGATIVE_INFINITY
    for (const { grants } of this.#byId.values()) {
      for (const { endsMs } of grants) lastMs = Math.max(lastMs, endsMs)
    }
    return lastMs
  }

  /** @param formerly what the same verifier was called on connections before */
  add(verifierId: string, formerly: readonly string[]): void {
    this.#byId.set(verifierId, newAttachment(verifierId, formerly))
  }

  /** What happened to one of them. @returns the grants to send; none for who is not among them */
  tell(verifierId: string, event: AttachmentEvent): readonly GrantEffect[] {
    const further = ofFormer(event)
    if (further !== undefined) for (const id of this.#formerly(verifierId)) this.#tellOne(id, further)
    return this.#tellOne(verifierId, event)
  }

  /** @returns whether {@link coveredSeq} may have risen since it was last asked for */
  acknowledged(verifierId: string, seq: number): boolean {
    const before = [verifierId, ...this.#formerly(verifierId)].map((id) => ({ id, seq: this.#coveredBy(id) }))
    this.tell(verifierId, { type: 'applied', seq })
    const lowest = before.filter((each) => each.seq <= this.#lowest.seq)
    // While others are no further than these were, nothing has changed for whoever waits.
    for (const each of lowest) if (this.#coveredBy(each.id) > each.seq) this.#lowest.count -= 1
    return lowest.length > 0 && this.#lowest.count <= 0
  }

  /** Everything up to here has been applied by all of them, or they cannot decide; `Infinity` when none of them can. */
  coveredSeq(): number {
    const nowMs = this.#nowMs()
    const lowest = { seq: Number.POSITIVE_INFINITY, count: 0 }
    for (const attachment of this.#byId.values()) {
      const seq = coveredSeq(attachment, nowMs)
      if (seq < lowest.seq) {
        lowest.seq = seq
        lowest.count = 1
      } else if (seq === lowest.seq) lowest.count += 1
    }
    this.#lowest = lowest
    return lowest.seq
  }

  /** Those on which nothing depends any more. */
  over(): readonly Attachment[] {
    const nowMs = this.#nowMs()
    return [...this.#byId.values()].filter((attachment) => isOver(attachment, nowMs))
  }

  forget(attachments: readonly Attachment[]): void {
    for (const { verifierId } of attachments) this.#byId.delete(verifierId)
  }

  #tellOne(verifierId: string, event: AttachmentEvent): readonly GrantEffect[] {
    const known = this.#byId.get(verifierId)
    if (known === undefined) return []
    const { attachment, effects } = attach(known, event, this.#nowMs())
    this.#byId.set(verifierId, attachment)
    return effects
  }

  #formerly(verifierId: string): readonly string[] {
    return this.#byId.get(verifierId)?.formerly ?? []
  }

  #coveredBy(verifierId: string): number {
    const attachment = this.#byId.get(verifierId)
    return attachment === undefined ? Number.POSITIVE_INFINITY : coveredSeq(attachment, this.#nowMs())
  }
}
