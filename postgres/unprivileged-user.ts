import { readFileSync } from 'node:fs'

/** Numbers of a user and its group. */
export interface SystemUser {
  readonly uid: number
  readonly gid: number
}

const NAMES = ['postgres', 'nobody']

/** Whom PostgreSQL runs as when this process belongs to root, whom it refuses; otherwise `undefined`: as this process. */
export function unprivilegedUser(): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined
  const users = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of NAMES) {
    const [, , uid, gid] = users.find((line) => line.startsWith(`${name}:`))?.split(':') ?? []
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new Error(`There is no user ${NAMES.join(' or ')} to run PostgreSQL as`)
}
