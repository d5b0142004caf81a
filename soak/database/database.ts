import type { TcpProxy } from '../network/tcp-proxy.ts'
import type { PostgresCluster } from './postgres-cluster.ts'

/** What the services of a run share. */
export interface Database {
  /** The settings of each service, by number. */
  readonly environments: readonly Readonly<Record<string, string>>[]
  /** The way that each service has to it, by number; empty when it is in the service. */
  readonly links: readonly TcpProxy[]
  /** The servers behind these ways. */
  readonly clusters: readonly PostgresCluster[]
  /** Ends it at once. */
  close(): Promise<void>
}

export type DatabaseKind = 'sqlite' | 'postgres'
