import { open } from 'node:fs/promises'

/** Makes the name of a new file as durable as its bytes. Windows does that by itself and opens no folders. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
