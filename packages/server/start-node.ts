import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Lease } from '@rescind/verifier/core'
import type { Logger } from 'pino'
import type { Config } from './config.ts'
import { logFeedNotices } from './feed-notices.ts'
import { clocks, timers } from './machine.ts'
import { type OpenedInstallation, refusedByDatabase } from './open-installation.ts'
import { type Deciding, startDeciding } from './start-deciding.ts'
import type { Usage } from './tokens/usage.ts'

/** How long a start waits for the first lease of its node, in milliseconds. */
const FIRST_LEASE_MS = 5_000

/**
 * Makes this process a node that may decide, with the whole log applied.
 *
 * @throws StartRefused when the log is damaged or has another history, or the database does not let a node work
 * @throws Unavailable when the database went away
 */
export async function startNode(
  config: Config,
  { storage, installation }: OpenedInstallation,
  logger: Logger,
  usage: Usage,
): Promise<Deciding> {
  try {
    const deciding = await startDeciding({
      storage,
      installation,
      clocks,
      timers,
      newUuid: randomUUID,
      leaseMs: config.leaseSeconds * 1000,
      noteUse: (idx, atMs) => usage.noteTold(idx, atMs),
      onNotice: logFeedNotices(logger),
      onTrouble: (error) => logger.warn({ err: error }, 'the nodes could not be read or written; it is tried again'),
    })
    await untilHeld(deciding.lease)
    return deciding
  } catch (error) {
    throw refusedByDatabase(error, config)
  }
}

/** Waits for the first lease, which is on its way. If it does not come, requests are answered 503 until another does. */
async function untilHeld(lease: Lease): Promise<void> {
  const deadlineMs = clocks.monotonicMs() + FIRST_LEASE_MS
  while (!lease.holds() && clocks.monotonicMs() < deadlineMs) await delay(1)
}
