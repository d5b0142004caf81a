import type { Entry, ServiceMessage } from '@rescind/protocol'
import type { FollowerEvent, FollowerState } from '../core/follower.ts'
import { HOME, LEASE_MS, LOG, RENEWAL_AFTER_MS, SILENCE_AFTER_MS } from './follower-states.ts'
import { LogFixture } from './log-fixture.ts'
import { EPOCH } from './mint.ts'

/** An event as it comes to a follower in some state, and how long after now. */
interface Arrival {
  readonly afterMs: number
  readonly event: FollowerEvent
}

/** By what happens, then by what is special about it. */
type Variants = Readonly<Record<string, (state: FollowerState) => FollowerEvent | Arrival>>

const OTHER_EPOCH = EPOCH.replace(/^./, 'f')
const OTHER_LOG = new LogFixture(OTHER_EPOCH)
const MORE_THAN_ANY_SNAPSHOT = 2 ** 40
/** So much further than what was applied is an announced snapshot. */
const SNAPSHOT_AHEAD = 3

const due: Variants = {
  early: () => ({ type: 'due' }),
  renewal: () => ({ event: { type: 'due' }, afterMs: RENEWAL_AFTER_MS }),
  late: () => ({ event: { type: 'due' }, afterMs: SILENCE_AFTER_MS }),
}

const pieces: Variants = {
  part: (state) => piece(state, (rest) => rest.subarray(0, 1)),
  rest: (state) => piece(state, (rest) => rest),
  altered: (state) => piece(state, (rest) => rest.map((byte, at) => (at === 0 ? byte ^ 1 : byte))),
  too_long: (state) => piece(state, (rest) => Buffer.concat([rest, Buffer.from([0])])),
  empty: (state) => piece(state, () => new Uint8Array(0)),
}

const messages: Readonly<Record<ServiceMessage['type'], Variants>> = {
  welcome: {
    same: (state) => welcome(state, {}),
    other_epoch: (state) => welcome(state, { epoch: OTHER_EPOCH }),
    other_issuer: (state) => welcome(state, { issuer: 'https://other.example' }),
    other_prefix: (state) => welcome(state, { tokenPrefix: 'other_' }),
    resync: (state) => welcome(state, { resync: true }),
  },
  snapshot: {
    ahead: (state) => snapshot(state, LOG, {}),
    other_epoch: (state) => snapshot(state, OTHER_LOG, {}),
    too_long: (state) => snapshot(state, LOG, { bytes: MORE_THAN_ANY_SNAPSHOT }),
  },
  entries: {
    next: (state) => entries(state, (seq) => [LOG.entry(seq + 1)]),
    next_two: (state) => entries(state, (seq) => [LOG.entry(seq + 1), LOG.entry(seq + 2)]),
    gap: (state) => entries(state, (seq) => [LOG.entry(seq + 2)]),
    swapped: (state) => entries(state, (seq) => [LOG.entry(seq + 2), LOG.entry(seq + 1)]),
    repeated: (state) => entries(state, (seq) => [LOG.entry(seq), LOG.entry(seq + 1)]),
    altered: (state) => entries(state, (seq) => [altered(LOG.entry(seq + 1))]),
    other_log: (state) => entries(state, (seq) => [OTHER_LOG.entry(seq + 1)]),
    second_altered: (state) => entries(state, (seq) => [LOG.entry(seq + 1), altered(LOG.entry(seq + 2))]),
  },
  grant: {
    answer: (state) => grant(state, {}),
    names_next: (state) => grant(state, { seq: seqOf(state) + 1 }),
    too_long: (state) => grant(state, { leaseMs: LEASE_MS + 1 }),
    earlier: (state) => grant(state, { nonce: Math.max(0, state.nonce - 1) }),
    later: (state) => grant(state, { nonce: state.nonce + 1 }),
  },
  goodbye: {
    leaving: (state) => message(state, { type: 'goodbye', reason: 'leaving' }),
    credential: (state) => message(state, { type: 'goodbye', reason: 'credential_ended' }),
  },
}

const events: Readonly<Record<FollowerEvent['type'], Readonly<Record<string, Variants>>>> = {
  start: { start: { start: () => ({ type: 'start' }) } },
  retry: { retry: { retry: () => ({ type: 'retry' }) } },
  stop: { stop: { stop: () => ({ type: 'stop' }) } },
  cannot_apply: { cannot_apply: { cannot_apply: () => ({ type: 'cannot_apply' }) } },
  due: { due },
  connected: { connected: { connected: ({ connection }) => ({ type: 'connected', connection }) } },
  disconnected: { disconnected: { disconnected: ({ connection }) => ({ type: 'disconnected', connection }) } },
  unreadable: { unreadable: { unreadable: ({ connection }) => ({ type: 'unreadable', connection }) } },
  piece: { piece: pieces },
  message: messages,
}

/** Every event there is, by name, made for the state it comes to. */
export const EVENTS: ReadonlyMap<string, (state: FollowerState) => Arrival> = new Map(
  Object.values(events).flatMap((groups) =>
    Object.entries(groups).flatMap(([group, variants]) =>
      Object.entries(variants).map(([variant, make]) => [
        group === variant ? group : `${group} ${variant}`,
        (state: FollowerState): Arrival => {
          const made = make(state)
          return 'event' in made ? made : { event: made, afterMs: 0 }
        },
      ]),
    ),
  ),
)

function seqOf({ position }: FollowerState): number {
  return position?.seq ?? 2
}

function message({ connection }: FollowerState, said: ServiceMessage): FollowerEvent {
  return { type: 'message', connection, message: said }
}

function welcome(state: FollowerState, changes: Partial<typeof HOME & { resync: boolean }>): FollowerEvent {
  return message(state, { type: 'welcome', verifierId: EPOCH, ...HOME, resync: false, ...changes })
}

function snapshot(state: FollowerState, log: LogFixture, changes: { bytes?: number }): FollowerEvent {
  const { position, bytes, sha256 } = log.snapshot(seqOf(state) + SNAPSHOT_AHEAD)
  return message(state, { type: 'snapshot', position, bytes: bytes.length, sha256, ...changes })
}

function piece(state: FollowerState, change: (rest: Uint8Array) => Uint8Array): FollowerEvent {
  const { connection, download } = state
  const seq = download?.position.seq ?? seqOf(state) + SNAPSHOT_AHEAD
  return { type: 'piece', connection, bytes: change(LOG.snapshot(seq).bytes.subarray(download?.received ?? 0)) }
}

function entries(state: FollowerState, take: (seq: number) => readonly Entry[]): FollowerEvent {
  return message(state, { type: 'entries', entries: take(seqOf(state)) })
}

/** Says something else than what was hashed. */
function altered(entry: Entry): Entry {
  return { ...entry, body: { kind: 'token_revoked', idx: 1_000_000 } }
}

function grant(state: FollowerState, changes: { nonce?: number; leaseMs?: number; seq?: number }): FollowerEvent {
  return message(state, { type: 'grant', nonce: state.nonce, leaseMs: LEASE_MS, seq: seqOf(state), ...changes })
}
