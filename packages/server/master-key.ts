import { hkdfSync, randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { StartRefused } from './start-refused.ts'
import { syncFolder } from './storage/sync-folder.ts'

/** The keys that protect what is stored, all derived from one master key (HKDF-SHA-256, RFC 5869). */
export interface ServiceKeys {
  /** Encrypts the signing keys at rest. */
  readonly sealing: Uint8Array
  /** Authenticates list cursors. */
  readonly cursors: Uint8Array
}

const KEY_BYTES = 32

/**
 * The master key: the given one, else the file `master.key` in the data folder, made at the first start and readable by
 * its owner only.
 *
 * @param given 32 bytes from the environment
 * @param firstStart whether the installation is new: only then is a key made
 * @throws StartRefused when there is no key for data that exists, or the file is damaged
 */
export function loadMasterKey(dataDir: string, given: Uint8Array | undefined, firstStart: boolean): ServiceKeys {
  return deriveKeys(given ?? keyFromFile(keyFile(dataDir), firstStart))
}

/** Whether there is a key for data that exists, right or not. */
export function hasMasterKey(dataDir: string, given: Uint8Array | undefined): boolean {
  return given !== undefined || existsSync(keyFile(dataDir))
}

function keyFile(dataDir: string): string {
  return join(dataDir, 'master.key')
}

function keyFromFile(path: string, firstStart: boolean): Uint8Array {
  if (!existsSync(path)) {
    if (!firstStart) {
      throw new StartRefused(
        `The key file ${path} is missing, and RESCIND_MASTER_KEY is not set; the signing keys cannot be read without it.`,
      )
    }
    writeKeyFile(path)
  }
  const key = Buffer.from(readFileSync(path, 'utf8').trim(), 'base64url')
  if (key.length !== KEY_BYTES) {
    throw new StartRefused(`The key file ${path} is damaged: it must hold 32 bytes as base64url.`)
  }
  return key
}

/**
 * The file appears whole or not at all: half a key, left by a start that was cut off, would refuse every later one. When
 * another start was faster, its key stays.
 */
function writeKeyFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const unfinished = `${path}.new-${process.pid}`
  const file = openSync(unfinished, 'w', 0o600)
  try {
    writeSync(file, `${randomBytes(KEY_BYTES).toString('base64url')}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  try {
    linkSync(unfinished, path)
  } catch (error) {
    if (!existsSync(path)) throw error
  } finally {
    unlinkSync(unfinished)
  }
  syncFolder(dirname(path))
}

function deriveKeys(masterKey: Uint8Array): ServiceKeys {
  const derive = (purpose: string) => Buffer.from(hkdfSync('sha256', masterKey, '', `rescind ${purpose}`, KEY_BYTES))
  return { sealing: derive('signing keys'), cursors: derive('list cursors') }
}
