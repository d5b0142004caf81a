import { performance } from 'node:perf_hooks'
import type { FeedSocketListener, Timers } from '@rescind/protocol'
import { AttachedVerifier } from '../../../verifier/core/attached-verifier.ts'
import type { FollowerNotice } from '../../../verifier/core/follower.ts'
import { openFeedSocket } from '../../../verifier/core/web-socket.ts'
import { issued } from '../service/provisioning.ts'
import type { RunningService } from '../service/running-service.ts'

/** A verifier as an application runs it, and what it has heard and told so far. */
export interface Attached extends Pick<AttachedVerifier, 'verify' | 'holds' | 'close' | 'position'> {
  readonly notices: readonly FollowerNotice[]
  /** The types of the messages it was sent; of a binary one, `piece`. */
  readonly heard: readonly string[]
  /** Resolves when it tells of this the next time. */
  noticed(notice: FollowerNotice): Promise<void>
  /** Resolves when it has been sent a message of this type the next time, and has done what that asks for. */
  hears(type: string): Promise<void>
}

const timers: Timers = {
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs).unref()
    return () => clearTimeout(timer)
  },
}

/** Attaches a verifier to the service at `url`. Resolves when it may decide. */
export async function attach(t: { after(end: () => void): void }, url: string, token: string): Promise<Attached> {
  const notices: FollowerNotice[] = []
  const heard: string[] = []
  const awaited = new Map<FollowerNotice, PromiseWithResolvers<void>>()
  const awaitedTypes = new Map<string, PromiseWithResolvers<void>>()
  const hear = (type: string) => {
    heard.push(type)
    awaitedTypes.get(type)?.resolve()
    awaitedTypes.delete(type)
  }
  const verifier = new AttachedVerifier({
    connect: (listener) => openFeedSocket(url, token, overheard(listener, hear)),
    clocks: { nowMs: () => Date.now(), monotonicMs: () => performance.now() },
    timers,
    random: () => Math.random(),
    onNotice: (notice) => {
      notices.push(notice)
      awaited.get(notice)?.resolve()
      awaited.delete(notice)
    },
  })
  const noticed = (notice: FollowerNotice) => {
    const waiting = awaited.get(notice) ?? Promise.withResolvers<void>()
    awaited.set(notice, waiting)
    return waiting.promise
  }
  const caughtUp = noticed('caught_up')
  verifier.start()
  t.after(() => verifier.close())
  await caughtUp
  return {
    verify: (presented, expected) => verifier.verify(presented, expected),
    holds: () => verifier.holds(),
    close: () => verifier.close(),
    get position() {
      return verifier.position
    },
    notices,
    heard,
    noticed,
    hears: (type) => {
      const waiting = awaitedTypes.get(type) ?? Promise.withResolvers<void>()
      awaitedTypes.set(type, waiting)
      return waiting.promise
    },
  }
}

function overheard(listener: FeedSocketListener & { opened(): void }, hear: (type: string) => void) {
  return {
    opened: () => listener.opened(),
    closed: (code: number) => listener.closed(code),
    received: (message: string | Uint8Array) => {
      listener.received(message)
      hear(typeof message === 'string' ? JSON.parse(message).type : 'piece')
    },
  }
}

/** A token of an operator that permits nothing but to follow the feed. */
export async function feedToken({ call, operatorToken }: RunningService) {
  const json = { name: 'a verifier', scopes: ['feed'] }
  return issued(await call('POST', '/api/v1/tokens', { token: operatorToken, business: null, json }))
}
