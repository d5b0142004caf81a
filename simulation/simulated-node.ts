import { decodeServiceMessage, type FeedSocket, type FeedSocketListener, permittedMs } from '@rescind/protocol'
import { createAuthenticate } from '../packages/server/access/authenticate.ts'
import { type CheckToken, createCheckToken } from '../packages/server/access/check-token.ts'
import { removeMember, saveMember, type TokenEnder } from '../packages/server/access/members.ts'
import { writeAs } from '../packages/server/access/write-as.ts'
import { endAllTokens, revokeAll, type TenantTarget } from '../packages/server/revocations/revoke-all.ts'
import { endToken, revokeToken } from '../packages/server/revocations/revoke-token.ts'
import { type Deciding, startDeciding } from '../packages/server/start-deciding.ts'
import type { Installation, Member, Membership, Revocation, Storage } from '../packages/server/storage/storage.ts'
import type { Refused } from '../packages/server/storage/write.ts'
import { issueToken } from '../packages/server/tokens/issue-token.ts'
import { SigningKeys } from '../packages/server/tokens/signing-keys.ts'
import type { IssuedToken } from './issued-token.ts'
import type { Network } from './network.ts'
import type { ObservedVerifier } from './observed.ts'
import type { Observer } from './observer.ts'
import type { SimulatedProcess } from './process.ts'
import type { Random } from './random.ts'
import { withoutStalls } from './without-stalls.ts'

export interface NodeDeps {
  readonly process: SimulatedProcess
  readonly storage: Storage
  readonly network: Network
  readonly observer: Observer
  readonly random: Random
  readonly leaseMs: number
  /** Of any node there is or was. */
  readonly longestLeaseMs: number
  readonly masterKey: Uint8Array
  /** The verifier that runs in a process. */
  readonly verifierIn: (process: SimulatedProcess) => ObservedVerifier | undefined
}

const HOLDER_DAYS = 30
/** Reading the members, and looking at them again. */
const WAIT_SLACK_MS = 400

/** One node: the production code of the service around a simulated network, database and clock. */
export class SimulatedNode {
  readonly process: SimulatedProcess
  readonly #deps: NodeDeps
  #deciding: Deciding | undefined
  #installation: Installation | undefined
  #keys: SigningKeys | undefined
  #checkToken: CheckToken | undefined
  #lastUuid = ''
  /** Until then something may keep this node from its work, on its monotonic clock. */
  #troubledUntilMs = 0

  constructor(deps: NodeDeps) {
    this.#deps = deps
    this.process = deps.process
  }

  /** Starts it. Where that fails, the process ends. */
  start(): void {
    this.#boot().catch((error: unknown) => {
      this.#deps.observer.noteFault(error)
      this.process.end()
    })
  }

  get appliedSeq(): number {
    return this.#deciding?.verifier.position.seq ?? 0
  }

  /** Whether it has applied the log as it is now, and no other. */
  get isOfLog(): boolean {
    const position = this.#deciding?.verifier.position
    return position !== undefined && this.#deps.observer.isOfLog(position)
  }

  get nodeId(): string {
    return this.#deciding?.node.nodeId ?? ''
  }

  get deciding(): Deciding | undefined {
    return this.#deciding
  }

  /** Whether it may decide; asks the production code. */
  holds(): boolean {
    if (this.#deciding === undefined || !this.process.running) return false
    return withoutStalls(this.process, this.#deciding.lease.holds)
  }

  /** Leaves in order, and ends. */
  async stop(): Promise<void> {
    const deciding = this.#deciding
    this.#deps.network.stopListening(this.process)
    if (deciding !== undefined) {
      deciding.feed.leave()
      const deadline = new AbortController()
      this.process.timers.after(this.#deps.leaseMs * 2, () => deadline.abort())
      await deciding.node.leave(deadline.signal)
    }
    this.process.end()
  }

  /** A 201 for the revocation of a token means that its entry is in force. */
  async revoke(by: string, tokenId: string): Promise<number> {
    const { principal, write } = await this.#authenticated(by)
    const outcome = await revokeToken({ clock: this.process.clocks, enforcement: this.#enforcement }, write, {
      tokenId,
      businessId: principal.kind === 'member' ? principal.businessId : await this.#businessOf(tokenId),
      reach: 'everyone',
      by: principal.email,
      reason: null,
    })
    if ('token' in outcome) this.#deps.observer.answeredToken(outcome.token.idx)
    return this.#answer(outcome, () => ('token' in outcome ? outcome.token.revocation.seq : 0))
  }

  async revokeAll(by: string, target: TenantTarget): Promise<number> {
    const { principal, write } = await this.#authenticated(by)
    const request = { target, by: principal.email, reason: null }
    const outcome = await revokeAll({ clock: this.process.clocks, enforcement: this.#enforcement }, write, request)
    return this.#answer(outcome, () => ('revocation' in outcome ? outcome.revocation.seq : 0))
  }

  /** Whatever is answered, what ended the tokens of the member before or now is in force: somebody may have asked before. */
  async removeMember(by: string, member: Pick<Member, 'businessId' | 'userId'>): Promise<void> {
    const { principal, write } = await this.#authenticated(by)
    const { observer } = this.#deps
    const before = observer.removalSeq(member)
    const { deps, ended } = this.#memberChange()
    const outcome = await removeMember(deps, write, principal, principal.email, member)
    if (!('refused' in outcome) || outcome.refused === 'member_not_found') observer.answered(Math.max(before, ...ended))
    refuse(outcome)
  }

  /** As {@link removeMember}: a role that is lowered ends the tokens that carry more. */
  async saveMember(by: string, member: Omit<Member, 'createdAtMs'>): Promise<void> {
    const { principal, write } = await this.#authenticated(by)
    const { observer } = this.#deps
    const before = observer.demotionSeq(member)
    const { deps, ended } = this.#memberChange()
    const outcome = await saveMember(deps, write, principal, principal.email, member)
    refuse(outcome)
    if (member.role === 'viewer') observer.answered(Math.max(before, ...ended))
  }

  async issue(by: string, holder: Pick<Member, 'businessId' | 'userId'>): Promise<IssuedToken> {
    const { principal, write } = await this.#authenticated(by)
    const installation = this.#installed
    const outcome = await issueToken(
      {
        installation,
        clock: this.process.clocks,
        newId: () => this.#deps.random.uuid(7),
        newJti: () => this.#deps.random.uuid(4),
        signingKey: () => this.#signingKeys.current,
        maxActiveTokens: Number.POSITIVE_INFINITY,
      },
      write,
      {
        holder,
        name: 'simulated',
        description: null,
        expiresInDays: HOLDER_DAYS,
        grant: () => ({ scopes: ['tokens:read', 'tokens:write', 'members:write'] }),
        issuedBy: principal.tokenId,
      },
    )
    refuse(outcome)
    if ('refused' in outcome) throw new Error('unreachable')
    return { text: outcome.token, record: outcome.record }
  }

  async rotate(by: string): Promise<void> {
    const { write } = await this.#authenticated(by)
    refuse(await this.#signingKeys.rotate(write, 'EdDSA'))
  }

  async retire(by: string, kid: string): Promise<void> {
    const { principal, write } = await this.#authenticated(by)
    refuse(await this.#signingKeys.retire(write, kid, { by: principal.email, reason: null }))
  }

  /** The service's own verdict, for whoever asks online. */
  async verify(token: IssuedToken, beganMs: number) {
    const check = this.#checkToken
    if (check === undefined) return { status: 'undecided' } as const
    const verdict = await check(token.text)
    this.#deps.observer.verified(token, verdict, beganMs, this.process.id, this.appliedSeq)
    return verdict
  }

  get kids(): string[] {
    return this.#deciding?.verifier.jwks().map(({ kid }) => kid) ?? []
  }

  get signingKid(): string | undefined {
    return this.#keys?.current.jwk.kid
  }

  async #boot(): Promise<void> {
    const { process, network, observer } = this.#deps
    const { storage: database } = this.#deps
    const storage: Storage = {
      read: database.read,
      transact: (unit) => database.transact(unit),
      follow: (after, deliver) => database.follow(after, deliver),
      membership: this.#watched(database.membership),
      failed: database.failed,
      close: () => database.close(),
    }
    const installation = await storage.read.installation()
    if (installation === undefined) throw new Error('There is no installation.')
    this.#installation = installation
    const deciding = await startDeciding({
      storage,
      installation,
      clocks: process.clocks,
      timers: process.timers,
      newUuid: () => {
        this.#lastUuid = this.#deps.random.uuid(4)
        return this.#lastUuid
      },
      leaseMs: this.#deps.leaseMs,
      onTrouble: (error) => {
        observer.noteFault(error)
      },
      noteUse: () => {},
      onNotice: () => {},
    })
    this.#keys = SigningKeys.open(
      {
        read: storage.read,
        clock: process.clocks,
        masterKey: this.#deps.masterKey,
        inForce: this.#enforcement.inForce,
        endKey: (tx, kid, cause) => endAllTokens(tx, { kind: 'key', kid }, cause),
      },
      await storage.read.signingKeys(),
    )
    this.#deciding = deciding
    this.#checkToken = createCheckToken({ verifier: deciding.verifier, read: storage.read, noteUse: () => {} })
    observer.nodes.add(this)
    process.onEnd(() => observer.nodes.delete(this))
    network.listen(process, (socket, from) => this.#accept(socket, from))
  }

  #accept(socket: FeedSocket, from: SimulatedProcess): FeedSocketListener | undefined {
    const verifier = this.#deps.verifierIn(from)
    const feed = this.#deciding?.feed
    if (verifier === undefined || feed === undefined || !this.holds()) return undefined
    const listener = feed.accept(this.#watchedSocket(socket), { tokenId: from.id, isGood: () => true })
    verifier.attachedTo(this, this.#lastUuid)
    return {
      received: (message) => {
        listener.received(message)
        if (typeof message === 'string' && message.startsWith('{"type":"applied"'))
          this.#deps.observer.acknowledged(this)
      },
      closed: (code) => listener.closed(code),
    }
  }

  /** Looks at every grant as it is sent. */
  #watchedSocket(socket: FeedSocket): FeedSocket {
    return {
      send: (message) => {
        if (typeof message === 'string' && message.startsWith('{"type":"grant"')) this.#checkGrant(message)
        socket.send(message)
      },
      get bufferedBytes() {
        return socket.bufferedBytes
      },
      close: (code) => socket.close(code),
      destroy: () => socket.destroy(),
    }
  }

  #checkGrant(text: string): void {
    const grant = decodeServiceMessage(text)
    const node = this.#deciding?.node
    if (grant?.type !== 'grant' || node === undefined) return
    const now = { monotonicMs: this.process.clock.monotonicMs(), wallMs: this.process.clock.nowMs() }
    const leftMs = permittedMs(node.lease.leases, this.appliedSeq, now)
    if (grant.leaseMs > leftMs + 1)
      this.#deps.observer.violate('I4', `a grant of ${grant.leaseMs} ms by a node that has ${leftMs} ms`)
    if (!this.#deps.observer.knowsGrantsOf(node.nodeId))
      this.#deps.observer.violate('I5', 'a node grants that nobody knows to')
    if (grant.seq !== this.appliedSeq)
      this.#deps.observer.violate('I4', `a grant names ${grant.seq}, its node has applied ${this.appliedSeq}`)
  }

  /** Looks at everything the node says of itself. */
  #watched(membership: Membership): Membership {
    const { observer } = this.#deps
    return {
      join: (node) => {
        observer.joining(node.nodeId)
        if (node.leaseMs < this.#deps.leaseMs)
          this.#deps.observer.violate('I5', 'the row of a node is for shorter leases than it grants')
        return membership.join(node)
      },
      announceGrants: (nodeId) => membership.announceGrants(nodeId),
      renew: (nodeId, seq) => {
        observer.reported(this, seq)
        return membership.renew(nodeId, seq)
      },
      report: (nodeId, seq) => {
        observer.reported(this, seq)
        return membership.report(nodeId, seq)
      },
      members: () => membership.members(),
      leave: (nodeId) => membership.leave(nodeId),
      remove: (nodeId, renewals) => membership.remove(nodeId, renewals),
    }
  }

  async #authenticated(token: string) {
    const check = this.#checkToken
    if (check === undefined) throw new Error('The node has not started.')
    const authentication = await createAuthenticate(check)([`Bearer ${token}`])
    if (!('principal' in authentication)) throw new Error('Not authenticated')
    const { principal } = authentication
    const deps = { storage: this.#deps.storage, clock: this.process.clocks, newId: () => this.#deps.random.uuid(7) }
    return { principal, write: writeAs(deps, principal, { requestId: 'simulated', claimedEmail: null }) }
  }

  async #businessOf(tokenId: string): Promise<string | null> {
    return (await this.#deps.storage.read.tokenByIdOrJti(tokenId))?.businessId ?? null
  }

  /** Notes what a change of a member ends. */
  #memberChange() {
    const ended: number[] = []
    const noting = async (revocation: Promise<Revocation>) => {
      ended.push((await revocation).seq)
      return revocation
    }
    const tokens: TokenEnder = {
      endToken: (...token) => noting(endToken(...token)),
      endAllTokens: (...target) => noting(endAllTokens(...target)),
      inForce: this.#enforcement.inForce,
    }
    return { deps: { clock: this.process.clocks, tokens }, ended }
  }

  /** Watches how long it takes. */
  readonly #enforcement = {
    inForce: async (seq: number) => {
      const node = this.#deciding?.node
      if (node === undefined) throw new Error('The node has not started.')
      const cancel = this.#watchWait(seq)
      try {
        const outcome = await node.inForce(seq)
        this.#deps.observer.enforcedSeq = Math.max(this.#deps.observer.enforcedSeq, seq)
        return outcome
      } finally {
        cancel()
      }
    },
  }

  /** Something keeps it from its work, at most for so long. */
  trouble(forMs: number): void {
    this.#troubledUntilMs = Math.max(this.#troubledUntilMs, this.process.clock.monotonicMs() + forMs)
  }

  /** Whatever becomes of the verifiers, a wait is over one lease after the node was last kept from its work. */
  #watchWait(seq: number): () => void {
    const { clock, timers } = this.process
    const startedMs = clock.monotonicMs()
    let cancel = () => {}
    const watch = () => {
      const endsMs = Math.max(startedMs, this.#troubledUntilMs) + this.#deps.longestLeaseMs + WAIT_SLACK_MS
      const leftMs = endsMs - clock.monotonicMs()
      if (leftMs > 0) cancel = timers.after(leftMs, watch)
      else
        this.#deps.observer.violate(
          'I11',
          `${seq} is not in force ${clock.monotonicMs() - startedMs} ms after its commit`,
        )
    }
    watch()
    return () => cancel()
  }

  /** What is sent at this moment means that the entry is in force. */
  #answer(outcome: object | Refused, seqOf: () => number): number {
    refuse(outcome)
    const seq = seqOf()
    if (seq > 0) this.#deps.observer.answered(seq)
    return seq
  }

  get #installed(): Installation {
    if (this.#installation === undefined) throw new Error('The node has not started.')
    return this.#installation
  }

  get #signingKeys(): SigningKeys {
    if (this.#keys === undefined) throw new Error('The node has not started.')
    return this.#keys
  }
}

function refuse(outcome: object): void {
  if ('refused' in outcome) throw new Error(`Refused: ${String(outcome.refused)}`)
}
