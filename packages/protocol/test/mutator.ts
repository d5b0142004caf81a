import { MAX_FEED_MESSAGE_BYTES } from '@rescind/protocol'

export type Message = string | Uint8Array

type Slot = { readonly owner: Record<string | number, unknown>; readonly key: string }

const KEPT_MESSAGES = 200

/** Makes messages wrong, in every way that came to mind, the same ones for the same source of randomness. */
export class Mutator {
  readonly #random: () => number
  readonly #seen: string[] = []
  /** How often each way was taken. */
  readonly taken = new Map<string, number>()

  constructor(random: () => number) {
    this.#random = random
  }

  /** Remembers a message of the same direction, whose parts may turn up in others. */
  see(message: Message): void {
    if (typeof message !== 'string') return
    if (this.#seen.length < KEPT_MESSAGES) this.#seen.push(message)
    else this.#seen[this.#below(KEPT_MESSAGES)] = message
  }

  hasSeen(message: string): boolean {
    return this.#seen.includes(message)
  }

  /** An earlier message, as it was; `undefined` when there was none. */
  replay(): string | undefined {
    return this.#seen[this.#below(this.#seen.length)]
  }

  mutate(message: Message): Message {
    let mutant = this.#once(message)
    while (this.#random() < 0.25) mutant = this.#once(mutant)
    return mutant
  }

  #once(message: Message): Message {
    return typeof message === 'string' ? this.#take(this.#ofText, message) : this.#take(this.#ofBytes, message)
  }

  #take<T extends Message>(ways: Readonly<Record<string, (message: T) => Message>>, message: T): Message {
    const [name, change] = this.#pick(Object.entries(ways))
    this.taken.set(name, (this.taken.get(name) ?? 0) + 1)
    return change(message)
  }

  readonly #ofText: Readonly<Record<string, (text: string) => Message>> = {
    'a byte flipped': (text) => Buffer.from(flip(Buffer.from(text), this.#random)).toString(),
    'cut short': (text) => text.slice(0, this.#below(text.length)),
    'a part cut out': (text) => this.#spliced(text, ''),
    'a part doubled': (text) => this.#spliced(text, text.slice(this.#below(text.length)).slice(0, 20)),
    'noise put in': (text) => this.#spliced(text, String.fromCharCode(this.#below(0x180), this.#below(0x180))),
    'half a character put in': (text) => this.#spliced(text, String.fromCharCode(0xd800 + this.#below(0x800))),
    'half a character escaped': (text) => text.replace(/:"/, `:"\\ud8${this.#pick(['00', 'ff', '3d'])}`),
    'space put in': (text) => this.#spliced(text, this.#pick([' ', '\n', '\t', '\u00a0', '\ufeff'])),
    'a field dropped': (text) =>
      this.#rebuilt(text, ({ owner, key }) => {
        delete owner[key]
      }),
    'a field added': (text) =>
      this.#rebuilt(text, ({ owner }) => {
        owner[this.#pick(['type', 'seq', 'constructor', '__proto__', 'toString', 'nonce', 'more'])] = this.#value()
      }),
    'a field doubled': (text) => text.replace(/"(\w+)":("?[\w-]+"?)/, (pair) => `${pair},${pair}`),
    'fields reordered': (text) => {
      const message: unknown = parsed(text)
      if (typeof message !== 'object' || message === null) return text
      return JSON.stringify(Object.fromEntries(Object.entries(message).toReversed()))
    },
    'a value retyped': (text) =>
      this.#rebuilt(text, ({ owner, key }) => {
        owner[key] = this.#value()
      }),
    'a value changed': (text) =>
      this.#rebuilt(text, ({ owner, key }) => {
        owner[key] = this.#changed(owner[key])
      }),
    'a number spelled differently': (text) =>
      this.#atNumber(text, (digits) =>
        this.#pick([`${digits}.0`, `${digits}e0`, `-${digits}`, `0${digits}`, '1e400', '-0']),
      ),
    'a number that none is': (text) =>
      this.#atNumber(text, () => this.#pick(['NaN', 'Infinity', '0x10', '1_000', '-', '.5'])),
    'values nested': (text) => {
      const depth = this.#random() < 0.002 ? 100_000 : 1 + this.#below(50)
      return this.#atNumber(text, (digits) => `${'['.repeat(depth)}${digits}${']'.repeat(depth)}`)
    },
    'made too long': (text) => {
      const length = this.#random() < 0.005 ? MAX_FEED_MESSAGE_BYTES : 2_000
      return this.#pick([text + ' '.repeat(length), text.replace(/:"/, `:"${'a'.repeat(length)}`)])
    },
    'crossed with another': (text) => {
      const other = parsed(this.replay() ?? '')
      return this.#rebuilt(text, ({ owner, key }) => {
        const found = slotsOf(other).find((slot) => slot.key === key)
        if (found !== undefined) owner[key] = found.owner[key]
      })
    },
    'sent as binary': (text) => Buffer.from(text),
    nothing: () => '',
  }

  readonly #ofBytes: Readonly<Record<string, (bytes: Uint8Array) => Message>> = {
    'a byte of a piece flipped': (bytes) => flip(bytes, this.#random),
    'a piece cut short': (bytes) => bytes.subarray(0, this.#below(bytes.length)),
    'a piece made longer': (bytes) => Buffer.concat([bytes, bytes.subarray(0, 1 + this.#below(20))]),
    'a piece turned round': (bytes) => bytes.toReversed(),
    'a piece sent as text': (bytes) => Buffer.from(bytes).toString('latin1'),
    'an empty piece': () => new Uint8Array(0),
  }

  #value(): unknown {
    return this.#pick<unknown>([
      null,
      true,
      false,
      '',
      'a',
      [],
      {},
      [[]],
      0,
      1,
      -1,
      0.5,
      2 ** 53,
      1e300,
      { type: 'hello' },
      ['a'],
    ])
  }

  #changed(value: unknown): unknown {
    if (typeof value === 'number') {
      const other = this.#pick([1, -1, 1_000, -value, -2 * value, 0.5, 2 ** 53 - 1 - value, 2 ** 60, value])
      return value + other
    }
    if (typeof value === 'string') {
      return this.#pick([
        value.slice(1),
        `${value}a`,
        value.toUpperCase(),
        value.replace(/.$/, '0'),
        flipHex(value, this.#random),
      ])
    }
    return typeof value === 'boolean' ? !value : this.#value()
  }

  #rebuilt(text: string, change: (slot: Slot) => void): string {
    const message = parsed(text)
    const slots = slotsOf(message)
    const slot = slots[this.#below(slots.length)]
    if (slot === undefined) return text
    change(slot)
    return JSON.stringify(message)
  }

  #atNumber(text: string, change: (digits: string) => string): string {
    const numbers = [...text.matchAll(/(?<=[:,[])\d+(?=[,\]}])/g)]
    const found = numbers[this.#below(numbers.length)]
    if (found === undefined) return text.slice(1)
    return text.slice(0, found.index) + change(found[0]) + text.slice(found.index + found[0].length)
  }

  #spliced(text: string, insert: string): string {
    const at = this.#below(text.length + 1)
    return text.slice(0, at) + insert + text.slice(at + this.#below(insert === '' ? 12 : 2))
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  #pick<T>(values: readonly T[]): T {
    return values[this.#below(values.length)] as T
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Every place of a value in another, the ones deep inside too. */
function slotsOf(value: unknown): Slot[] {
  if (typeof value !== 'object' || value === null) return []
  const owner = value as Record<string, unknown>
  return Object.keys(owner).flatMap((key) => [{ owner, key }, ...slotsOf(owner[key])])
}

function flip(bytes: Uint8Array, random: () => number): Uint8Array {
  const flipped = Uint8Array.from(bytes)
  const at = Math.floor(random() * flipped.length)
  flipped[at] = (flipped[at] ?? 0) ^ (1 << Math.floor(random() * 8))
  return flipped
}

function flipHex(text: string, random: () => number): string {
  const at = Math.floor(random() * text.length)
  return text.slice(0, at) + (text[at] === '0' ? '1' : '0') + text.slice(at + 1)
}
