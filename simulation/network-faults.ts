import type { Range } from './random.ts'

/** What can happen to a message, a connection, or the link between two processes. */
export const NETWORK_FAULTS = [
  /** A message took long; what was sent after it waited. */
  'delayed',
  'dropped',
  'duplicated',
  /** A message was overtaken by later ones. */
  'reordered',
  /** A message, or an attempt to connect, met a link that is cut. */
  'partitioned',
  /** One end was told that the connection broke; the other end hears nothing any more. */
  'half_opened',
  /** Nothing passes any more, and nobody was told. */
  'silenced',
  /** The news that the other end closed came late. */
  'close_delayed',
  /** The news that the other end closed never came. */
  'close_lost',
  /** A connection was refused. */
  'refused',
] as const

export type NetworkFault = (typeof NETWORK_FAULTS)[number]

/** How a link behaves. Chances are for each message, and for each attempt to connect or to close. */
export interface LinkBehaviour {
  /** Of everything that travels, one way. */
  readonly delayMs: Range
  /** On top, for what is delayed. */
  readonly spikeMs: Range
  readonly delayChance: number
  readonly dropChance: number
  readonly duplicateChance: number
  readonly reorderChance: number
  readonly halfOpenChance: number
  readonly silenceChance: number
  readonly closeDelayChance: number
  readonly closeLossChance: number
  readonly refuseChance: number
}

export const FAULTLESS: LinkBehaviour = {
  delayMs: [0.1, 2],
  spikeMs: [10, 3_000],
  delayChance: 0,
  dropChance: 0,
  duplicateChance: 0,
  reorderChance: 0,
  halfOpenChance: 0,
  silenceChance: 0,
  closeDelayChance: 0,
  closeLossChance: 0,
  refuseChance: 0,
}

/** One direction between two processes. */
export interface Link {
  /** What is sent vanishes. */
  cut: boolean
  behaviour: LinkBehaviour
}
