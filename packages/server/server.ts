/** Where the service is wired together: the only module that knows HTTP, the domain and the database at once. */

import { randomUUID } from 'node:crypto'
import { Unavailable } from '@rescind/protocol'
import { createAccess } from './access/access.ts'
import { createAuthenticate } from './access/authenticate.ts'
import { createCheckToken } from './access/check-token.ts'
import type { Config } from './config.ts'
import { createApp } from './http/app.ts'
import { describeApi } from './http/openapi/describe-api.ts'
import { createRoutes } from './http/routes/routes.ts'
import { type FirstTokens, recoverOperator } from './install.ts'
import { checkPort, listeningUrl, refusedListen } from './listening.ts'
import { createLog, type Log } from './log.ts'
import { clocks, newId } from './machine.ts'
import { makeBackup } from './make-backup.ts'
import { type OpenedInstallation, openInstallation } from './open-installation.ts'
import manifest from './package.json' with { type: 'json' }
import { createRevocations } from './revocations/revocations.ts'
import { endAllTokens } from './revocations/revoke-all.ts'
import { endToken } from './revocations/revoke-token.ts'
import type { Deciding } from './start-deciding.ts'
import { startNode } from './start-node.ts'
import { refusedStart, StartRefused } from './start-refused.ts'
import type { Installation } from './storage/storage.ts'
import { createCursorCodec } from './tokens/cursor.ts'
import type { IssueDeps } from './tokens/issue-token.ts'
import { SigningKeys, type SigningKeysDeps } from './tokens/signing-keys.ts'
import { createTokens } from './tokens/tokens.ts'
import { Usage } from './tokens/usage.ts'

export { LOST_LEASE_SECONDS } from './continue-log.ts'
export { exportTo, importFrom, type Moved } from './move-installation.ts'
export { checkBackup, openNewEpoch, type Restored, restoreBackup } from './recovery.ts'
export { syncFolder } from './storage/sync-folder.ts'

const USAGE_FLUSH_MS = 15_000

/** How long a node to which nobody is attached may take to leave, in milliseconds. */
const LEAVE_MS = 5_000

/** What a token has to permit for its holder to follow the feed. */
const MAY_FOLLOW = { scopes: ['feed'] }

/** A running service. */
export interface Service {
  /** Where it listens. */
  readonly url: string
  /** Only when this was the first start: to be shown once. */
  readonly firstTokens: FirstTokens | undefined
  /** Resolves with the cause when the service can no longer keep its promises and has to stop. */
  readonly failed: Promise<Error>
  /** Finishes the requests in flight, refuses new ones, and releases the data opened. */
  stop(): Promise<void>
}

/**
 * Starts the service.
 *
 * @throws StartRefused with one sentence for a person: port taken, folder in use or not writable, database not reached, wrong master key
 */
export async function startService(config: Config): Promise<Service> {
  // Before a first start makes tokens that it could not show any more.
  await checkPort(config)
  const log = createLog(config.logLevel)
  const opened = await openInstallation(config, log.logger)
  try {
    return await listen(config, opened, log)
  } catch (error) {
    await opened.storage.close()
    throw refusedStart(refusedListen(error, config))
  }
}

/**
 * Sets the database up without serving.
 *
 * @returns its first tokens, or `undefined` when it had been set up before
 */
export function setUp(config: Config): Promise<FirstTokens | undefined> {
  return withInstallation(config, async ({ firstTokens }) => firstTokens)
}

/** Issues a new operator token to whoever holds the database and the master key. */
export function recoverOperatorToken(config: Config): Promise<string> {
  return withInstallation(config, async (opened) => {
    // Nothing is in force or not while nobody serves.
    const signingKeys = await openSigningKeys(opened, {
      inForce: () => Promise.reject(new Unavailable('may_not_decide')),
      applied: () => ({ seq: 0, kids: [] }),
      onChange: () => {},
    })
    const deps = { storage: opened.storage, clock: clocks, newId, newUuid: randomUUID }
    return recoverOperator(deps, issueDeps(opened.installation, signingKeys, Number.POSITIVE_INFINITY))
  })
}

async function withInstallation<T>(config: Config, use: (opened: OpenedInstallation) => Promise<T>): Promise<T> {
  const opened = await openInstallation(config, createLog(config.logLevel).logger)
  try {
    return await use(opened)
  } finally {
    await opened.storage.close()
  }
}

async function listen(config: Config, opened: OpenedInstallation, log: Log): Promise<Service> {
  const usage = new Usage(opened.storage, clocks)
  const deciding = await startNode(config, opened, log.logger, usage)
  try {
    return await serve(config, opened, deciding, log, usage)
  } catch (error) {
    // Nobody is attached, so it leaves at once, and whoever starts next waits for nobody.
    await deciding.node.leave(AbortSignal.timeout(LEAVE_MS))
    throw error
  }
}

async function serve(
  config: Config,
  opened: OpenedInstallation,
  { node, verifier, lease, feed, onKeyEntries }: Deciding,
  log: Log,
  usage: Usage,
): Promise<Service> {
  const { storage, installation, firstTokens } = opened
  const { logger } = log
  const inForce = (seq: number) => node.inForce(seq)
  const applied = () => ({ seq: verifier.position.seq, kids: verifier.jwks().map(({ kid }) => kid) })
  const signingKeys = await openSigningKeys(opened, { inForce, applied, onChange: onKeyEntries })
  const checkToken = createCheckToken({ verifier, read: storage.read, noteUse: (idx) => usage.note(idx) })
  const routes = createRoutes({
    access: createAccess({ storage, clock: clocks, newId, tokens: { endToken, endAllTokens, inForce } }),
    tokens: createTokens({
      ...issueDeps(installation, signingKeys, config.maxActiveTokens),
      read: storage.read,
      cursors: createCursorCodec(opened.keys.cursors),
    }),
    revocations: createRevocations({ clock: clocks, enforcement: node }),
    keys: signingKeys,
    makeBackup: (write) => makeBackup(storage, write),
    defaultAlg: config.signingAlg,
    checkToken,
    tokenPrefix: installation.tokenPrefix,
  })
  const app = createApp({
    routes,
    authenticate: createAuthenticate(checkToken),
    feed: {
      accept: (socket, { tokenId, token }) => {
        const isGood = () => verifier.verify(token, MAY_FOLLOW).status !== 'rejected'
        return feed.accept(socket, { tokenId, isGood })
      },
    },
    logger,
    jwks: () => ({ keys: verifier.jwks() }),
    document: describeApi(routes, {
      title: 'Rescind',
      version: manifest.version,
      description: 'API tokens that are dead, everywhere and for good, once their revocation is answered.',
    }),
    isReady: lease.holds,
    monotonicMs: clocks.monotonicMs,
    newRequestId: randomUUID,
  })
  await app.fastify.listen({ host: config.host, port: config.port })

  const flush = () => usage.flush().catch((error: unknown) => logger.warn({ err: error }, 'last uses were not stored'))
  const flushing = setInterval(flush, USAGE_FLUSH_MS).unref()
  let hasFailed = false
  return {
    url: listeningUrl(app.fastify.server.address(), config),
    firstTokens,
    failed: storage.failed.then((cause) => {
      hasFailed = true
      logger.fatal({ err: cause }, 'the storage failed; the service stops')
      log.flush()
      return cause
    }),
    stop: async () => {
      clearInterval(flushing)
      const deadlineMs = clocks.monotonicMs() + config.shutdownSeconds * 1000
      const deadline = AbortSignal.timeout(config.shutdownSeconds * 1000)
      await app.drain(deadline, async () => {
        feed.leave()
        // Waiting for leases that will not end in time helps nobody: whoever starts next waits for them.
        const canLeave = !hasFailed && clocks.monotonicMs() + node.longestGrantMs <= deadlineMs
        await node.leave(canLeave ? deadline : AbortSignal.abort())
      })
      await flush()
      await storage.close()
      log.flush()
    },
  }
}

/** @throws StartRefused when the master key does not open them */
async function openSigningKeys(
  { storage, keys }: OpenedInstallation,
  deciding: Pick<SigningKeysDeps, 'inForce' | 'applied' | 'onChange'>,
): Promise<SigningKeys> {
  const signingKeys = SigningKeys.open(
    {
      read: storage.read,
      clock: clocks,
      masterKey: keys.sealing,
      ...deciding,
      endKey: (tx, kid, cause) => endAllTokens(tx, { kind: 'key', kid }, cause),
    },
    await storage.read.signingKeys(),
  )
  if (signingKeys !== undefined) return signingKeys
  throw new StartRefused(
    'The master key does not open the signing keys of this database; start with the RESCIND_MASTER_KEY or the master.key they were made with.',
  )
}

function issueDeps(installation: Installation, signingKeys: SigningKeys, maxActiveTokens: number): IssueDeps {
  return {
    installation,
    clock: clocks,
    newId,
    newJti: randomUUID,
    signingKey: () => signingKeys.current,
    maxActiveTokens,
  }
}
