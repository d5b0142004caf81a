import { decodeServiceMessage, decodeVerifierMessage, type ServiceMessage } from '@rescind/protocol'
import { type Message, Mutator } from '../../../protocol/test/mutator.ts'

export type Grant = Extract<ServiceMessage, { type: 'grant' }>

/** Loses, doubles, repeats and alters what is on its way to one end of a connection. */
export class TroubledNetwork {
  readonly towards: 'service' | 'verifier'
  readonly mutator: Mutator
  /** Messages that did not come as they were sent. */
  mutated = 0
  isTroubled = true
  readonly #random: () => number
  readonly #granted: (nonce: number) => Grant | undefined

  /** @param granted what the service granted under a nonce */
  constructor(towards: 'service' | 'verifier', random: () => number, granted: (nonce: number) => Grant | undefined) {
    this.towards = towards
    this.mutator = new Mutator(random)
    this.#random = random
    this.#granted = granted
  }

  /** What comes out. */
  pass(message: Message, to: 'service' | 'verifier'): readonly Message[] {
    if (!this.isTroubled || to !== this.towards) return [message]
    this.mutator.see(message)
    const messages = this.#trouble(message)
    return messages.filter((each) => each === message || !this.#isForged(each))
  }

  #trouble(message: Message): readonly Message[] {
    const chance = this.#random()
    if (chance < 0.75) return [message]
    this.mutated += 1
    if (chance < 0.76) return []
    if (chance < 0.77) return [message, message]
    if (chance < 0.78) return [this.mutator.replay() ?? message]
    if (chance < 0.79) return [message, this.mutator.replay() ?? message]
    const mutants = [this.mutator.mutate(message)]
    while (this.#random() < 0.9) mutants.push(this.mutator.mutate(message))
    this.mutated += mutants.length - 1
    return mutants
  }

  /** True for what only the encryption of a connection can tell from the truth: a sound message that promises more than its sender did. */
  #isForged(message: Message): boolean {
    if (typeof message !== 'string' || !/^{"type":"(goodbye|grant|welcome)"/.test(message)) return false
    if (this.towards === 'service') return decodeVerifierMessage(message)?.type === 'goodbye'
    const said = decodeServiceMessage(message)
    if (said?.type === 'welcome') return !this.mutator.hasSeen(message)
    if (said?.type !== 'grant') return false
    const granted = this.#granted(said.nonce)
    return granted === undefined || said.leaseMs > granted.leaseMs || said.seq < granted.seq
  }
}
