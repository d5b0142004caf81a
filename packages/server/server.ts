import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type Clock, createUuidV7Source, genesis } from '@rescind/protocol'
import { createVerifier } from '@rescind/verifier'
import { createAccess } from './access/access.ts'
import { createAuthenticate } from './access/authenticate.ts'
import { createCheckToken } from './access/check-token.ts'
import type { Config } from './config.ts'
import { createApp } from './http/app.ts'
import { describeApi } from './http/openapi.ts'
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
import { openSqlite } from './storage/sqlite/open.ts'
import { type Installation, type Storage, StorageRefused } from './storage/storage.ts'
import { createCursorCodec } from './tokens/cursor.ts'
import type { IssueDeps } from './tokens/issue-token.ts'
import { KeyRing } from './tokens/key-ring.ts'
import { createTokens } from './tokens/tokens.ts'
import { Usage } from './tokens/usage.ts'
import { welcome } from './welcome.ts'

const USAGE_FLUSH_MS = 15_000

const clock: Clock = { nowMs: () => Date.now() }
const newId = createUuidV7Source(clock, randomUUID)

/** An opened data folder: everything but the network. */
interface Node {
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
  const node = await openNode(config)
  try {
    return await listen(config, node)
  } catch (error) {
    await node.storage.close()
    throw refusedListen(error, config)
  }
}

/** Runs the service until a signal stops it or its storage fails, and tells the outside by the exit code which it was. */
export async function serve(config: Config): Promise<void> {
  const service = await startService(config)
  // Before anything is printed: whoever reads that it listens may ask it to stop at once.
  const ending = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT'), service.failed])
  process.stdout.write(`Listening  ${service.url}\n`)
  if (service.firstTokens) process.stdout.write(welcome(service.url, service.firstTokens))
  const failure = await ending
  if (failure instanceof Error) process.exitCode = 1
  await service.stop()
}

/** Sets the data folder up without serving or, with `recover`, issues a new operator token. Prints what it made. */
export async function init(config: Config, { recover }: { readonly recover: boolean }): Promise<void> {
  const node = await openNode(config)
  try {
    if (node.firstTokens) {
      const { businessId, ownerToken, operatorToken } = node.firstTokens
      process.stdout.write(`Business  ${businessId}\nOwner token  ${ownerToken}\nOperator token  ${operatorToken}\n`)
    } else if (recover) {
      process.stdout.write(`Operator token  ${await recoverToken(node)}\n`)
    } else {
      throw new StartRefused(
        `The folder ${config.dataDir} is set up already; add --recover for a new operator token, or start it with serve.`,
      )
    }
  } finally {
    await node.storage.close()
  }
}

/** Opens the data folder, and sets it up when it is new. */
async function openNode(config: Config): Promise<Node> {
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

async function listen(config: Config, node: Node): Promise<Service> {
  const { storage, installation, firstTokens } = node
  const { verifier, enforcement, keyRing } = await startDeciding(node)
  const usage = new Usage(storage, clock)
  const checkToken = createCheckToken({ verifier, read: storage.read, noteUse: (idx) => usage.note(idx) })
  const log = createLog(config.logLevel)
  const { logger } = log
  const routes = createRoutes({
    access: createAccess({ storage, clock, newId, tokens: { endToken, endAllTokens, inForce: enforcement.inForce } }),
    tokens: createTokens({
      ...issueDeps(installation, keyRing, config.maxActiveTokens),
      read: storage.read,
      cursors: createCursorCodec(node.keys.cursors),
    }),
    revocations: createRevocations({ clock, enforcement }),
    keys: keyRing,
    defaultAlg: config.signingAlg,
    checkToken,
    tokenPrefix: installation.tokenPrefix,
  })
  let failed = false
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
    isReady: () => !failed,
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
      failed = true
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
async function startDeciding({ storage, installation, keys }: Node) {
  let storageFailed = false
  storage.failed.then(() => {
    storageFailed = true
  })
  const verifier = createVerifier({
    issuer: installation.issuer,
    epoch: installation.epoch,
    tokenPrefix: installation.tokenPrefix,
    // The data folder belongs to this process alone, so it may decide for as long as it can write there.
    lease: { holds: () => !storageFailed },
    clock,
  })
  await storage.follow(genesis(installation.epoch), (entries) => verifier.apply(entries))
  const enforcement = createLocalEnforcement(verifier)
  const keyRing = KeyRing.open(
    {
      read: storage.read,
      clock,
      masterKey: keys.sealing,
      inForce: enforcement.inForce,
      endKey: (tx, kid, cause) => endAllTokens(tx, { kind: 'key', kid }, cause),
    },
    await storage.read.signingKeys(),
  )
  if (keyRing === undefined) {
    throw new StartRefused(
      'The master key does not open the signing keys of this data folder; start with the RESCIND_MASTER_KEY or the master.key they were made with.',
    )
  }
  return { verifier, enforcement, keyRing }
}

function issueDeps(installation: Installation, keyRing: KeyRing, maxActiveTokens: number): IssueDeps {
  return { installation, clock, newId, newJti: randomUUID, signingKey: () => keyRing.current, maxActiveTokens }
}

async function recoverToken(node: Node): Promise<string> {
  const { keyRing } = await startDeciding(node)
  const deps = { storage: node.storage, clock, newId, newUuid: randomUUID }
  return recoverOperator(deps, issueDeps(node.installation, keyRing, Number.POSITIVE_INFINITY))
}

function listeningUrl(address: AddressInfo | string | null, { host }: Config): string {
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** A failure to listen as a sentence for a person; any other error as it is. */
function refusedListen(error: unknown, { host, port }: Config): unknown {
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
