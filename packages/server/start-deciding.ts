import { type Clocks, type Entry, genesis, type Timers } from '@rescind/protocol'
import { createLocalVerifier, type Lease, type LocalVerifier } from '@rescind/verifier/core'
import { Feed } from './revocations/feed.ts'
import type { SessionDeps } from './revocations/feed-session.ts'
import { Node } from './revocations/node.ts'
import type { Installation, Storage } from './storage/storage.ts'

/** What a process needs to decide about tokens as one node of an installation. */
export interface DecidingDeps extends Pick<SessionDeps, 'noteUse' | 'onNotice'> {
  readonly storage: Storage
  readonly installation: Installation
  readonly clocks: Clocks
  readonly timers: Timers
  /** A new UUID v4. */
  readonly newUuid: () => string
  readonly leaseMs: number
  /** The members could not be read or written; it is tried again. */
  readonly onTrouble: (error: unknown) => void
}

/** A node that decides. */
export interface Deciding {
  readonly node: Node
  readonly verifier: LocalVerifier
  readonly lease: Lease
  readonly feed: Feed
  /** Calls the last `listener` that was given whenever this node has applied an entry about a key. */
  onKeyEntries(listener: () => void): void
}

/**
 * Makes this process a node: a member first, then the log read, so that whoever commits an entry this process has not
 * read knows of it.
 *
 * @throws Error when the log cannot be applied
 */
export async function startDeciding(deps: DecidingDeps): Promise<Deciding> {
  const { storage, installation, clocks, timers, newUuid } = deps
  let storageFailed = false
  storage.failed.then(() => {
    storageFailed = true
  })
  const node = new Node({
    membership: storage.membership,
    clocks,
    timers,
    newNodeId: newUuid,
    leaseMs: deps.leaseMs,
    appliedSeq: () => verifier.position.seq,
    onTrouble: deps.onTrouble,
  })
  const lease = { holds: () => !storageFailed && node.holds() }
  const { issuer, epoch, tokenPrefix } = installation
  const verifier = createLocalVerifier({ issuer, epoch, tokenPrefix, lease, clock: clocks })
  const feed = new Feed({
    node,
    source: verifier,
    read: storage.read,
    installation,
    clocks,
    timers,
    newVerifierId: newUuid,
    noteUse: deps.noteUse,
    onNotice: deps.onNotice,
  })
  let keysChanged = (): void => {}
  await node.join()
  try {
    await storage.follow(genesis(epoch), (entries) => {
      verifier.apply(entries)
      // The entries are committed and applied; what goes wrong in passing them on must not look as if they were not.
      try {
        feed.applied(entries)
        node.applied()
        if (entries.some(isAboutKey)) keysChanged()
      } catch (error) {
        deps.onTrouble(error)
      }
    })
  } catch (error) {
    await node.leave(AbortSignal.abort())
    throw error
  }
  const onKeyEntries = (listener: () => void) => {
    keysChanged = listener
  }
  return { node, verifier, lease, feed, onKeyEntries }
}

function isAboutKey({ body: { kind } }: Entry): boolean {
  return kind === 'key_added' || kind === 'key_retired'
}
