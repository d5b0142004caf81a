import { readConfig } from '../../config.ts'
import { loadMasterKey } from '../../master-key.ts'
import { openSigningKey, type SigningKey } from '../../tokens/signing-key.ts'
import { openStorage } from '../service/test-database.ts'

/** The signing keys of a data folder whose service is stopped, oldest first, retired ones included. */
export async function openStoredSigningKeys(dataDir: string): Promise<SigningKey[]> {
  const storage = await openStorage(dataDir)
  try {
    const keys = loadMasterKey(dataDir, readConfig({}).masterKey, false)
    const records = await storage.read.signingKeys()
    return records.map((record) => {
      const key = openSigningKey(record, keys.sealing)
      if (key === undefined) throw new Error('The master key does not open a signing key.')
      return key
    })
  } finally {
    await storage.close()
  }
}
