/** Where everything is wired together: the only module that knows a storage backend, HTTP and the domain at once. */

import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type Clock, createUuidV7Source, genesis, Unavailable } from '@rescind/protocol'
import { createVerifier, type Verifier } from '@rescind/verifier'
import { createAccess } from './access/access.ts'
import { createAuthenticate } from './access/authenticate.ts'
import { createCheckToken } from './access/check-token.ts'
import type { Config } from './config.ts'
import { createApp } from './http/app.ts'
import { describeApi } from './http/openapi/describe-api.ts'
import { createRoutes } from './http/routes/routes.ts'
import { type FirstTokens, install, recoverOperator } from './install.ts'
import { createLog } from './log.ts'
import { loadMasterKey, type ServiceKeys } from './master-key.ts'
import manifest from './package.json' with { type: 'json' }
import { createLocalEnforcement } from './revocations/enforcement.ts'
import { createRevocations } from './revocations/revocations.ts'
import { endAllTokens } from './revocations/revoke-all.ts'
import { endToken } from './revocations/revoke-token.ts'
import { StartRefused } from './start-refused.ts'
import { openSqlite } from './storage/sqlite/open-sqlite.ts'
import { type Installation, type Storage, StorageRefused } from './storage/storage.ts'
import { createCursorCodec } from './tokens/cursor.ts'
import type { IssueDeps } from './tokens/issue-token.ts'
import { SigningKeys } from './tokens/signing-keys.ts'
import { createTokens } from './tokens/tokens.ts'
import { Usage } from './tokens/usage.ts'

const USAGE_FLUSH_MS = 15_000

const clock: Clock = { nowMs: () => Date.now() }
const newId = createUuidV7Source(clock, randomUUID)

/** An opened data folder: everything but the network. */
interface OpenedFolder {
  readonly storage: Storage
  readonly installation: Installation
  readonly keys: ServiceKeys
  /** Only when this was the first start. */
  readonly firstTokens: FirstTokens | undefined
}

/** A running service. */
export interface Service {
  /** Where it listens. */
  readonly url: string
  /** Only when this was the first start: to be shown once. */
  readonly firstTokens: FirstTokens | undefined
  /** Resolves with the cause when the service can no longer keep its promises and has to stop. */
  readonly failed: Promise<Error>
  /** Finishes the requests in flight, refuses new ones, and releases the data folder. */
  stop(): Promise<void>
}

/**
 * Starts the service.
 *
 * @throws StartRefused with one sentence for a person: port taken, folder in use or not writable, wrong master key
 */
export async function startService(config: Config): Promise<Service> {
  // Before a first start makes tokens that it could not show any more.
  await checkPort(config)
  const folder = await openFolder(config)
  try {
    return await listen(config, folder)
  } catch (error) {
    await folder.storage.close()
    throw refusedListen(error, config)
  }
}

/**
 * Sets the data folder up without serving.
 *
 * @returns its first tokens, or `undefined` when it had been set up before
 */
export function setUp(config: Config): Promise<FirstTokens | undefined> {
  return withFolder(config, async ({ firstTokens }) => firstTokens)
}

/** Issues a new operator token to whoever holds the data folder of a service that is stopped. */
export function recoverOperatorToken(config: Config): Promise<string> {
  return withFolder(config, async (folder) => {
    const { signingKeys } = await startDeciding(folder)
    const deps = { storage: folder.storage, clock, newId, newUuid: randomUUID }
    return recoverOperator(deps, issueDeps(folder.installation, signingKeys, Number.POSITIVE_INFINITY))
  })
}

async function withFolder<T>(config: Config, use: (folder: OpenedFolder) => Promise<T>): Promise<T> {
  const folder = await openFolder(config)
  try {
    return await use(folder)
  } finally {
    await folder.storage.close()
  }
}

/** Opens the data folder, and sets it up when it is new. */
async function openFolder(config: Config): Promise<OpenedFolder> {
  const storage = await openStorage(config)
  try {
    const existing = await storage.read.installation()
    const keys = loadMasterKey(config.dataDir, config.masterKey, existing === undefined)
    if (existing !== undefined) return { storage, installation: existing, keys, firstTokens: undefined }
    const firstTokens = await install({ storage, clock, newId, newUuid: randomUUID, sealingKey: keys.sealing }, config)
    const installation = await storage.read.installation()
    if (installation === undefined) throw new Error('The first start left no installation behind.')
    return { storage, installation, keys, firstTokens }
  } catch (error) {
    await storage.close()
    throw error
  }
}

async function openStorage({ dataDir }: Config): Promise<Storage> {
  try {
    return await openSqlite({ dataDir, clock })
  } catch (error) {
    throw error instanceof StorageRefused ? new StartRefused(error.message, { cause: error }) : error
  }
}

async function listen(config: Config, folder: OpenedFolder): Promise<Service> {
  const { storage, installation, firstTokens } = folder
  const { lease, verifier, enforcement, signingKeys } = await startDeciding(folder)
  const usage = new Usage(storage, clock)
  const checkToken = createCheckToken({ verifier, read: storage.read, noteUse: (idx) => usage.note(idx) })
  const log = createLog(config.logLevel)
  const { logger } = log
  const routes = createRoutes({
    access: createAccess({ storage, clock, newId, tokens: { endToken, endAllTokens, inForce: enforcement.inForce } }),
    tokens: createTokens({
      ...issueDeps(installation, signingKeys, config.maxActiveTokens),
      read: storage.read,
      cursors: createCursorCodec(folder.keys.cursors),
    }),
    revocations: createRevocations({ clock, enforcement }),
    keys: signingKeys,
    defaultAlg: config.signingAlg,
    checkToken,
    tokenPrefix: installation.tokenPrefix,
  })
  const app = createApp({
    routes,
    authenticate: createAuthenticate(checkToken),
    logger,
    jwks: () => ({ keys: verifier.jwks() }),
    document: describeApi(routes, {
      title: 'Rescind',
      version: manifest.version,
      description: 'API tokens that are dead, everywhere and for good, once their revocation is answered.',
    }),
    isReady: lease.holds,
    monotonicMs: () => performance.now(),
    newRequestId: randomUUID,
  })
  await app.fastify.listen({ host: config.host, port: config.port })

  const flush = () => usage.flush().catch((error: unknown) => logger.warn({ err: error }, 'last uses were not stored'))
  const flushing = setInterval(flush, USAGE_FLUSH_MS).unref()
  return {
    url: listeningUrl(app.fastify.server.address(), config),
    firstTokens,
    failed: storage.failed.then((cause) => {
      logger.fatal({ err: cause }, 'the storage failed; the service stops')
      log.flush()
      return cause
    }),
    stop: async () => {
      clearInterval(flushing)
      await app.drain(AbortSignal.timeout(config.shutdownSeconds * 1000))
      await flush()
      await storage.close()
      log.flush()
    },
  }
}

/** The verifier of this node, with the whole log applied, and everything that depends on it. */
async function startDeciding({ storage, installation, keys }: OpenedFolder) {
  let storageFailed = false
  storage.failed.then(() => {
    storageFailed = true
  })
  // The data folder belongs to this process alone, so it may decide for as long as it can write there.
  const lease = { holds: () => !storageFailed }
  const verifier = createVerifier({
    issuer: installation.issuer,
    epoch: installation.epoch,
    tokenPrefix: installation.tokenPrefix,
    lease,
    clock,
  })
  await applyLog(storage, verifier, installation.epoch)
  const enforcement = createLocalEnforcement(verifier)
  const signingKeys = SigningKeys.open(
    {
      read: storage.read,
      clock,
      masterKey: keys.sealing,
      inForce: enforcement.inForce,
      endKey: (tx, kid, cause) => endAllTokens(tx, { kind: 'key', kid }, cause),
    },
    await storage.read.signingKeys(),
  )
  if (signingKeys === undefined) {
    throw new StartRefused(
      'The master key does not open the signing keys of this data folder; start with the RESCIND_MASTER_KEY or the master.key they were made with.',
    )
  }
  return { lease, verifier, enforcement, signingKeys }
}

async function applyLog(storage: Storage, verifier: Verifier, epoch: string): Promise<void> {
  try {
    await storage.follow(genesis(epoch), (entries) => verifier.apply(entries))
  } catch (error) {
    if (error instanceof Unavailable) throw error
    throw new StartRefused(
      'The revocation log of this data folder is damaged, or was written by a newer version; nothing is decided from it. Restore the folder from a backup.',
      { cause: error },
    )
  }
}

function issueDeps(installation: Installation, signingKeys: SigningKeys, maxActiveTokens: number): IssueDeps {
  return { installation, clock, newId, newJti: randomUUID, signingKey: () => signingKeys.current, maxActiveTokens }
}

/** @throws StartRefused when the service could not listen where it is to */
async function checkPort({ host, port }: Config): Promise<void> {
  const probe = createServer()
  try {
    await once(probe.listen(port, host), 'listening')
  } catch (error) {
    throw refusedListen(error, { host, port })
  }
  probe.close()
  await once(probe, 'close')
}

function listeningUrl(address: AddressInfo | string | null, { host }: Config): string {
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** A failure to listen as a sentence for a person; any other error as it is. */
function refusedListen(error: unknown, { host, port }: Pick<Config, 'host' | 'port'>): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'EADDRINUSE':
      return new StartRefused(`Port ${port} on ${host} is taken; stop what listens there, or set RESCIND_PORT.`)
    case 'EACCES':
      return new StartRefused(`Listening on port ${port} is not permitted; set RESCIND_PORT to one above 1023.`)
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new StartRefused(`The address ${host} is not one of this machine; set RESCIND_HOST.`)
    default:
      return error
  }
}
