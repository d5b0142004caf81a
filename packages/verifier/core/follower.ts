import { createHash } from 'node:crypto'
import {
  continues,
  type Entry,
  FEED_CLOSE,
  FEED_VERSION,
  type FeedCloseCode,
  type HeldLease,
  type Instant,
  MAX_FORMER_IDS,
  type Position,
  permittedMs,
  positionAfter,
  renewalIntervalMs,
  type ServiceMessage,
  silenceLimitMs,
  usefulLeases,
  type VerifierMessage,
} from '@rescind/protocol'
import { type DecodedSnapshot, decodeSnapshot } from './snapshot.ts'

/**
 * The state machine of a verifier that follows a service: what it has applied, and until when it may decide alone. It
 * decides nothing by a timer: whether a lease holds is computed from the time at each use, see {@link mayDecide}.
 */
export interface FollowerState {
  readonly phase: 'idle' | 'connecting' | 'greeting' | 'following' | 'waiting' | 'closed'
  /** Counts connections; what is heard from an earlier one counts for nothing. */
  readonly connection: number
  /** What this verifier was welcomed as, oldest first: no more than can be named in a hello. */
  readonly verifierIds: readonly string[]
  /** What the service is, as it first said; it never becomes another one. */
  readonly home: Home | null
  /** The last entry applied; `null` while nothing can be built on. */
  readonly position: Position | null
  /** Leases that have not lapsed, oldest first. Those after the first name entries that are still to come. */
  readonly leases: readonly HeldLease[]
  /** The renewal in flight. */
  readonly asked: { readonly nonce: number; readonly since: Instant } | null
  /** The last nonce used. Never goes back, so a grant of an earlier connection answers nothing. */
  readonly nonce: number
  /** When to renew, on the monotonic clock. */
  readonly renewAtMs: number
  /** When to give up waiting for the service, on the monotonic clock. */
  readonly deadlineMs: number
  /** Connections in a row that came to nothing. */
  readonly failures: number
  readonly download: Download | null
  /** What was applied turned out not to be the log of the service, and has not been united with it yet. */
  readonly diverged: boolean
  /** What was last told to the outside. Never used to decide. */
  readonly deciding: boolean
}

/** What the tokens of a service look like, and how long its leases are. */
export interface Home {
  readonly issuer: string
  readonly tokenPrefix: string
  /** Of its log, where that now ends. */
  readonly epoch: string
  readonly leaseMs: number
}

interface Download {
  readonly position: Position
  readonly bytes: number
  readonly sha256: string
  readonly pieces: readonly Uint8Array[]
  readonly received: number
}

/** Everything that comes from a connection says which one. */
export type FollowerEvent =
  | { readonly type: 'start' }
  | { readonly type: 'connected'; readonly connection: number }
  | { readonly type: 'message'; readonly connection: number; readonly message: ServiceMessage }
  | { readonly type: 'piece'; readonly connection: number; readonly bytes: Uint8Array }
  | { readonly type: 'unreadable'; readonly connection: number }
  | { readonly type: 'disconnected'; readonly connection: number }
  /** What was to be applied could not take effect. */
  | { readonly type: 'cannot_apply' }
  /** The time of {@link wakeAtMs} has come. */
  | { readonly type: 'due' }
  /** The pause after a failed connection is over. */
  | { readonly type: 'retry' }
  | { readonly type: 'stop' }

/** In the order in which they have to happen. */
export type FollowerEffect =
  | { readonly type: 'connect'; readonly connection: number }
  | { readonly type: 'send'; readonly message: VerifierMessage }
  | { readonly type: 'disconnect'; readonly code: FeedCloseCode }
  | { readonly type: 'welcomed'; readonly home: Home }
  | { readonly type: 'apply'; readonly entries: readonly Entry[] }
  | { readonly type: 'unite'; readonly snapshot: DecodedSnapshot }
  /** Send `retry` after a pause that grows with the failures. */
  | { readonly type: 'pause'; readonly failures: number }
  | { readonly type: 'notify'; readonly notice: FollowerNotice }

/** For logs and metrics. */
export type FollowerNotice =
  /** May decide, and could not before. */
  | 'caught_up'
  /** May not decide any more. */
  | 'lapsed'
  /** Applied what the service says instead of what was applied differently before; nothing revoked was given up. */
  | 'resynced'
  /** What was applied is not what the log of the service says. No lease holds until it has been united. */
  | 'log_mismatch'
  | 'snapshot_damaged'
  | 'bad_message'
  | 'credential_ended'
  /** The service is another one than at first. */
  | 'wrong_service'
  | 'disconnected'

export interface FollowerStep {
  readonly state: FollowerState
  readonly effects: readonly FollowerEffect[]
}

/** How long a connection may take to be made, and again to be greeted. */
const CONNECT_TIMEOUT_MS = 5_000

/** More than any snapshot of 500 M tokens; whoever announces more is not to be believed. */
const MAX_SNAPSHOT_BYTES = 64 * 1024 * 1024

export const INITIAL_FOLLOWER: FollowerState = {
  phase: 'idle',
  connection: 0,
  verifierIds: [],
  home: null,
  position: null,
  leases: [],
  asked: null,
  nonce: 0,
  renewAtMs: 0,
  deadlineMs: 0,
  failures: 0,
  download: null,
  diverged: false,
  deciding: false,
}

/** Whether the verifier may decide alone at `now`. */
export function mayDecide({ leases, position }: FollowerState, now: Instant): boolean {
  return position !== null && permittedMs(leases, position.seq, now) > 0
}

/** When `due` has to come at the latest, on the monotonic clock; `undefined` when nothing is to be waited for. */
export function wakeAtMs(state: FollowerState, now: Instant): number | undefined {
  const times: number[] = []
  if (state.phase === 'connecting' || state.phase === 'greeting') times.push(state.deadlineMs)
  if (state.phase === 'following') times.push(state.asked === null ? state.renewAtMs : state.deadlineMs)
  if (state.deciding) times.push(now.monotonicMs + permittedMs(state.leases, state.position?.seq ?? -1, now))
  return times.length === 0 ? undefined : Math.min(...times)
}

/** The next state, and what has to be done. Pure. */
export function follow(state: FollowerState, event: FollowerEvent, now: Instant): FollowerStep {
  return noticeDeciding(transition(state, event, now), now)
}

function transition(state: FollowerState, event: FollowerEvent, now: Instant): FollowerStep {
  if (state.phase === 'closed') return { state, effects: [] }
  if ('connection' in event && event.connection !== state.connection) return { state, effects: [] }
  return react(hearing(state, event, now), event, now)
}

/** Whatever comes, somebody is there: a grant may be waiting behind a long snapshot. */
function hearing(state: FollowerState, event: FollowerEvent, now: Instant): FollowerState {
  const isHeard = event.type === 'message' || event.type === 'piece'
  if (!isHeard || state.phase !== 'following' || state.asked === null) return state
  return { ...state, deadlineMs: now.monotonicMs + silenceLimitMs(state.home?.leaseMs ?? 0) }
}

function react(state: FollowerState, event: FollowerEvent, now: Instant): FollowerStep {
  switch (event.type) {
    case 'start':
      return state.phase === 'idle' ? connect(state, now) : { state, effects: [] }
    case 'retry':
      return state.phase === 'waiting' ? connect(state, now) : { state, effects: [] }
    case 'connected':
      return state.phase === 'connecting' ? greet(state, now) : { state, effects: [] }
    case 'message':
      return receive(state, event.message, now)
    case 'piece':
      return receivePiece(state, event.bytes)
    case 'unreadable':
      return giveUp(state, FEED_CLOSE.bad_message, 'bad_message')
    case 'disconnected':
      return isConnected(state) ? disconnected(state, []) : { state, effects: [] }
    case 'cannot_apply':
      return mismatch(state, 'log_mismatch')
    case 'due':
      return due(state, now)
    case 'stop':
      return stop(state)
  }
}

function connect(state: FollowerState, now: Instant): FollowerStep {
  const connection = state.connection + 1
  return {
    state: { ...state, phase: 'connecting', connection, deadlineMs: now.monotonicMs + CONNECT_TIMEOUT_MS },
    effects: [{ type: 'connect', connection }],
  }
}

/** The leases of former connections go on. Named here, they keep nobody waiting who hears what is applied over this one. */
function greet(state: FollowerState, now: Instant): FollowerStep {
  const { position, verifierIds } = state
  const hello: VerifierMessage = { type: 'hello', version: FEED_VERSION, position, formerly: verifierIds }
  return {
    state: { ...state, phase: 'greeting', deadlineMs: now.monotonicMs + CONNECT_TIMEOUT_MS },
    effects: [{ type: 'send', message: hello }],
  }
}

function receive(state: FollowerState, message: ServiceMessage, now: Instant): FollowerStep {
  if (message.type === 'welcome') {
    return state.phase === 'greeting' ? welcomed(state, message, now) : badMessage(state)
  }
  if (message.type === 'goodbye') return dismissed(state, message.reason)
  if (state.phase !== 'following') return badMessage(state)
  switch (message.type) {
    case 'snapshot':
      return announced(state, message)
    case 'entries':
      return applyEntries(state, message.entries)
    case 'grant':
      return granted(state, message)
  }
}

function welcomed(
  state: FollowerState,
  { verifierId, issuer, tokenPrefix, epoch, leaseMs, resync }: Extract<ServiceMessage, { type: 'welcome' }>,
  now: Instant,
): FollowerStep {
  const known = state.home
  if (known !== null && (known.issuer !== issuer || known.tokenPrefix !== tokenPrefix)) {
    return giveUp(state, FEED_CLOSE.done, 'wrong_service')
  }
  const home = { issuer, tokenPrefix, epoch, leaseMs }
  const verifierIds = [...state.verifierIds, verifierId].slice(-MAX_FORMER_IDS)
  const following: FollowerState = { ...state, phase: 'following', verifierIds, home }
  // Nothing may be decided on another log, or another history of this one, before the two are united.
  const isSameEpoch = (known ?? home).epoch === epoch && (state.position ?? home).epoch === epoch
  const isSameLog = isSameEpoch && (state.position === null || !resync)
  const renewing = renew(isSameLog ? following : diverged(following), now)
  const notices = isSameLog ? [] : [notify('log_mismatch')]
  return { state: renewing.state, effects: [{ type: 'welcomed', home }, ...notices, ...renewing.effects] }
}

/** The lease will count from this moment: before the request is sent. */
function renew(state: FollowerState, now: Instant): FollowerStep {
  const leaseMs = state.home?.leaseMs ?? 0
  const nonce = state.nonce + 1
  return {
    state: {
      ...state,
      nonce,
      asked: { nonce, since: now },
      renewAtMs: now.monotonicMs + renewalIntervalMs(leaseMs),
      deadlineMs: now.monotonicMs + silenceLimitMs(leaseMs),
    },
    effects: [{ type: 'send', message: { type: 'renew', nonce } }],
  }
}

function granted(
  state: FollowerState,
  { nonce, leaseMs, seq }: Extract<ServiceMessage, { type: 'grant' }>,
): FollowerStep {
  if (state.asked === null || state.asked.nonce !== nonce) return badMessage(state)
  if (leaseMs > (state.home?.leaseMs ?? 0)) return badMessage(state)
  const lease: HeldLease = { since: state.asked.since, grantedMs: leaseMs, seq }
  return { state: { ...state, asked: null, leases: [...state.leases, lease] }, effects: [] }
}

function applyEntries(state: FollowerState, entries: readonly Entry[]): FollowerStep {
  let position = state.position
  for (const entry of entries) {
    // What has been applied is not applied again, and nothing is left out.
    if (position === null || entry.seq !== position.seq + 1) return badMessage(state)
    if (!continues(position, entry)) return mismatch(state, 'log_mismatch')
    position = positionAfter(position, entry)
  }
  if (position === null) return badMessage(state)
  const home = state.home && { ...state.home, epoch: position.epoch }
  return {
    state: { ...state, home, position },
    effects: [{ type: 'apply', entries }, acknowledge(position)],
  }
}

function announced(
  state: FollowerState,
  { position, bytes, sha256 }: Extract<ServiceMessage, { type: 'snapshot' }>,
): FollowerStep {
  const isOfHome = position.epoch === state.home?.epoch
  // One that leads back has come before: whoever cannot be built on has no position.
  const leadsBack = state.position !== null && position.seq <= state.position.seq
  if (state.download !== null || !isOfHome || leadsBack || bytes > MAX_SNAPSHOT_BYTES) return badMessage(state)
  return { state: { ...state, download: { position, bytes, sha256, pieces: [], received: 0 } }, effects: [] }
}

function receivePiece(state: FollowerState, piece: Uint8Array): FollowerStep {
  const { download } = state
  if (download === null || piece.length === 0) return badMessage(state)
  const received = download.received + piece.length
  if (received > download.bytes) return badMessage(state)
  const pieces = [...download.pieces, piece]
  if (received < download.bytes)
    return { state: { ...state, download: { ...download, pieces, received } }, effects: [] }
  return unite({ ...state, download: null }, download, pieces)
}

function unite(state: FollowerState, { position, sha256 }: Download, pieces: readonly Uint8Array[]): FollowerStep {
  const snapshot = hashOf(pieces) === sha256 ? decodeSnapshot(Buffer.concat(pieces)) : undefined
  if (snapshot === undefined || !isSame(snapshot.position, position)) return mismatch(state, 'snapshot_damaged')
  // To an earlier entry, or to another one of the same number.
  const goesBack = state.position !== null && state.position.seq >= position.seq
  return {
    state: { ...(goesBack ? withoutLeases(state) : state), position, diverged: false },
    effects: [{ type: 'unite', snapshot }, acknowledge(position), ...(state.diverged ? [notify('resynced')] : [])],
  }
}

function dismissed(state: FollowerState, reason: Extract<ServiceMessage, { type: 'goodbye' }>['reason']): FollowerStep {
  if (reason === 'leaving') return disconnected(state, [{ type: 'disconnect', code: FEED_CLOSE.done }])
  // Whoever took the credential away wants it to end now. Only a verifier that has stopped deciding says so.
  const { state: next, effects } = disconnected(withoutLeases(state), farewell())
  return { state: next, effects: [...effects, notify('credential_ended')] }
}

function due(state: FollowerState, now: Instant): FollowerStep {
  const isLate = now.monotonicMs >= state.deadlineMs
  if (state.phase === 'connecting' || state.phase === 'greeting' || state.asked !== null) {
    return isLate && isConnected(state) ? giveUp(state, FEED_CLOSE.silent, 'disconnected') : { state, effects: [] }
  }
  return state.phase === 'following' && now.monotonicMs >= state.renewAtMs ? renew(state, now) : { state, effects: [] }
}

function stop(state: FollowerState): FollowerStep {
  const effects = isConnected(state) ? farewell() : []
  return { state: { ...withoutLeases(state), phase: 'closed', download: null }, effects }
}

function farewell(): FollowerEffect[] {
  return [
    { type: 'send', message: { type: 'goodbye' } },
    { type: 'disconnect', code: FEED_CLOSE.done },
  ]
}

/** Takes it from the start: this connection is of no use any more. */
function mismatch(state: FollowerState, notice: FollowerNotice): FollowerStep {
  return giveUp(diverged(state), FEED_CLOSE.log_mismatch, notice)
}

/** What was applied is not to be built on: everything revoked stays so, and nothing is decided until a snapshot was united with it. */
function diverged(state: FollowerState): FollowerState {
  return { ...withoutLeases(state), position: null, diverged: true }
}

function badMessage(state: FollowerState): FollowerStep {
  return giveUp(state, FEED_CLOSE.bad_message, 'bad_message')
}

function giveUp(state: FollowerState, code: FeedCloseCode, notice: FollowerNotice): FollowerStep {
  if (!isConnected(state)) return { state, effects: [notify(notice)] }
  const { state: next, effects } = disconnected(state, [{ type: 'disconnect', code }])
  return { state: next, effects: [...effects, notify(notice)] }
}

/** A lease does not end with the connection it came over: the service counts on that, and so do its users. */
function disconnected(state: FollowerState, effects: readonly FollowerEffect[]): FollowerStep {
  const failures = state.failures + 1
  return {
    // Nothing more is taken from this connection.
    state: { ...state, phase: 'waiting', connection: state.connection + 1, asked: null, download: null, failures },
    effects: [...effects, { type: 'pause', failures }],
  }
}

/** Tells when deciding begins and ends, and forgets the leases that are of no more use. */
function noticeDeciding({ state, effects }: FollowerStep, now: Instant): FollowerStep {
  const deciding = mayDecide(state, now)
  const { length } = state.leases
  const leases = length > 1 ? usefulLeases(state.leases, state.position?.seq ?? -1, now) : state.leases
  const hasSucceeded = deciding && state.phase === 'following' && state.asked === null
  const failures = hasSucceeded ? 0 : state.failures
  const isSame = deciding === state.deciding && leases === state.leases && failures === state.failures
  const next = isSame ? state : { ...state, deciding, leases, failures }
  if (deciding === state.deciding) return { state: next, effects }
  return { state: next, effects: [...effects, notify(deciding ? 'caught_up' : 'lapsed')] }
}

function withoutLeases(state: FollowerState): FollowerState {
  return { ...state, leases: [] }
}

function isConnected({ phase }: FollowerState): boolean {
  return phase === 'connecting' || phase === 'greeting' || phase === 'following'
}

function acknowledge({ seq, hash }: Position): FollowerEffect {
  return { type: 'send', message: { type: 'applied', seq, hash } }
}

function notify(notice: FollowerNotice): FollowerEffect {
  return { type: 'notify', notice }
}

function hashOf(pieces: readonly Uint8Array[]): string {
  const hash = createHash('sha256')
  for (const piece of pieces) hash.update(piece)
  return hash.digest('hex')
}

function isSame(a: Position, b: Position): boolean {
  return a.epoch === b.epoch && a.seq === b.seq && a.hash === b.hash
}
