import type { Item, Samples } from '../load/rounds.ts'
import type { Row } from '../report/row.ts'

/** One thing that is measured in the common rounds, and how it is reported. */
export interface Topic {
  readonly items: readonly Item[]
  rows(samples: Samples): Row[]
}

/** The numbers of clients that every load is applied with. */
export const CLIENT_COUNTS = [1, 32] as const

export type ClientCount = (typeof CLIENT_COUNTS)[number]

/** The name of `what` under the load of so many clients. */
export function withClients(what: string, clients: ClientCount): string {
  return `${what}, ${clients === 1 ? '1 client' : `${clients} clients`}`
}
