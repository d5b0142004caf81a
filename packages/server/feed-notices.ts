import type { Logger } from 'pino'
import type { FeedNotice } from './revocations/feed-session.ts'

/** How loud, and in what words. Between programs that work, nothing loud happens. */
const LINES: Readonly<Record<FeedNotice, readonly [level: 'info' | 'warn', message: string]>> = {
  attached: ['info', 'verifier attached'],
  detached: ['info', 'verifier said goodbye'],
  disconnected: ['info', 'connection of a verifier broke off'],
  silent: ['info', 'nothing was heard of a verifier for too long'],
  credential_ended: ['info', 'credential of a verifier ended'],
  resync: ['warn', 'verifier stands elsewhere than the log, and is sent everything'],
  log_mismatch: ['warn', 'verifier applied something else than the log says'],
  bad_message: ['warn', 'verifier sent what is no message here'],
  too_slow: ['warn', 'verifier does not keep up'],
}

/** So much of the id of a verifier tells it from others, and does not let whoever reads the log speak for it. */
const SHOWN_OF_ID = 8

/** Writes what happens on the connections of verifiers into the log, by ids only. */
export function logFeedNotices(logger: Logger) {
  return (notice: FeedNotice, verifierId: string, tokenId: string): void => {
    const [level, message] = LINES[notice]
    logger[level]({ verifierId: verifierId.slice(0, SHOWN_OF_ID), tokenId, notice }, message)
  }
}
