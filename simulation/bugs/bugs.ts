import { ANSWER_BUGS } from './answer-bugs.ts'
import type { Bug } from './bug.ts'
import { DATABASE_BUGS } from './database-bugs.ts'
import { GRANT_BUGS } from './grant-bugs.ts'
import { ISSUING_BUGS } from './issuing-bugs.ts'
import { LEASE_BUGS } from './lease-bugs.ts'
import { LOG_BUGS } from './log-bugs.ts'
import { NODE_BUGS } from './node-bugs.ts'
import { VERDICT_BUGS } from './verdict-bugs.ts'

/** Every one of them must be noticed, by the invariant it breaks. */
export const BUGS: readonly Bug[] = [
  ...LEASE_BUGS,
  ...GRANT_BUGS,
  ...NODE_BUGS,
  ...LOG_BUGS,
  ...VERDICT_BUGS,
  ...ANSWER_BUGS,
  ...ISSUING_BUGS,
  ...DATABASE_BUGS,
]
