import type { ServiceKeys } from './master-key.ts'
import { StartRefused } from './start-refused.ts'
import type { SigningKeyRecord } from './storage/storage.ts'
import { openSigningKey } from './tokens/signing-key.ts'

/**
 * @param where what they were found in, for a sentence
 * @throws StartRefused when the master key does not open one of them
 */
export function assertOpensKeys(keys: ServiceKeys, records: readonly SigningKeyRecord[], where: string): void {
  if (records.every((record) => openSigningKey(record, keys.sealing) !== undefined)) return
  throw new StartRefused(
    `The master key does not open the signing keys of ${where}; use the RESCIND_MASTER_KEY or the master.key they were made with.`,
  )
}
