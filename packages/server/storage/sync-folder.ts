import { closeSync, fsyncSync, openSync } from 'node:fs'

/** Makes the name of a new file as durable as its bytes. Windows does that by itself and opens no folders. */
export function syncFolder(path: string): void {
  if (process.platform === 'win32') return
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
