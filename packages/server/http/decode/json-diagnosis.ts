/** The value of a document, or the first problem in it and the UTF-16 index where it is. */
type Diagnosis = { readonly value: unknown } | { readonly problem: string; readonly at: number }

/**
 * Reads what `JSON.parse` refused, to say what is wrong and where, in the words and places of Python's `json` module
 * (3.12 and before). Like it, reads `NaN`, `Infinity` and `-Infinity`. Slow beside `JSON.parse`, but linear.
 *
 * @param maxDepth Nesting beyond this is a problem too; it bounds the recursion.
 */
export function diagnoseJson(text: string, maxDepth: number): Diagnosis {
  const reader = new Reader(text, maxDepth)
  try {
    return { value: reader.document() }
  } catch (error) {
    if (error instanceof Problem) return { problem: error.message, at: error.at }
    throw error
  }
}

class Problem extends Error {
  readonly at: number

  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}

const WHITE_SPACE = /[ \t\n\r]*/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
/** All but quotes, backslashes and control characters. */
const PLAIN_CHARACTERS = /[ !#-[\]-\uffff]*/y
const FOUR_HEX_DIGITS = /[0-9a-fA-F]{4}/y
const WORDS: readonly (readonly [string, unknown])[] = [
  ['null', null],
  ['true', true],
  ['false', false],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
])

class Reader {
  readonly #text: string
  readonly #maxDepth: number
  #at = 0

  constructor(text: string, maxDepth: number) {
    this.#text = text
    this.#maxDepth = maxDepth
  }

  document(): unknown {
    this.#skipWhiteSpace()
    const value = this.#value(0)
    this.#skipWhiteSpace()
    if (this.#at < this.#text.length) throw new Problem('Extra data', this.#at)
    return value
  }

  #value(depth: number): unknown {
    const next = this.#peek()
    if (next === '"') return this.#string()
    if (next === '{' || next === '[') {
      if (depth === this.#maxDepth) throw new Problem(`Nesting deeper than ${this.#maxDepth} levels`, this.#at)
      this.#at += 1
      return next === '{' ? this.#object(depth + 1) : this.#array(depth + 1)
    }
    for (const [word, value] of WORDS) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length
        return value
      }
    }
    const number = this.#match(NUMBER)
    if (number === undefined) throw new Problem('Expecting value', this.#at)
    return Number(number)
  }

  #object(depth: number): unknown {
    const members: Record<string, unknown> = {}
    this.#skipWhiteSpace()
    if (this.#take('}')) return members
    do {
      this.#skipWhiteSpace()
      if (this.#peek() !== '"') throw new Problem('Expecting property name enclosed in double quotes', this.#at)
      const name = this.#string()
      this.#skipWhiteSpace()
      if (!this.#take(':')) throw new Problem("Expecting ':' delimiter", this.#at)
      this.#skipWhiteSpace()
      const value = this.#value(depth)
      // Assigning to `__proto__` would set the prototype; this makes it a name like any other.
      Object.defineProperty(members, name, { value, enumerable: true, configurable: true, writable: true })
      this.#skipWhiteSpace()
    } while (this.#take(','))
    if (!this.#take('}')) throw new Problem("Expecting ',' delimiter", this.#at)
    return members
  }

  #array(depth: number): unknown[] {
    const items: unknown[] = []
    this.#skipWhiteSpace()
    if (this.#take(']')) return items
    do {
      this.#skipWhiteSpace()
      items.push(this.#value(depth))
      this.#skipWhiteSpace()
    } while (this.#take(','))
    if (!this.#take(']')) throw new Problem("Expecting ',' delimiter", this.#at)
    return items
  }

  #string(): string {
    const begin = this.#at
    const parts: string[] = []
    this.#at += 1
    for (;;) {
      parts.push(this.#match(PLAIN_CHARACTERS) ?? '')
      const next = this.#peek()
      if (next === undefined) throw new Problem('Unterminated string starting at', begin)
      if (next !== '"' && next !== '\\') throw new Problem('Invalid control character at', this.#at)
      this.#at += 1
      if (next === '"') return parts.join('')
      parts.push(this.#escape(begin))
    }
  }

  #escape(begin: number): string {
    const next = this.#peek()
    if (next === undefined) throw new Problem('Unterminated string starting at', begin)
    if (next === 'u') {
      const at = this.#at
      this.#at += 1
      const digits = this.#match(FOUR_HEX_DIGITS)
      if (digits === undefined || this.#peek() === undefined) throw new Problem('Invalid \\uXXXX escape', at)
      return String.fromCharCode(Number.parseInt(digits, 16))
    }
    const character = ESCAPES.get(next)
    if (character === undefined) throw new Problem('Invalid \\escape', this.#at - 1)
    this.#at += 1
    return character
  }

  #peek(): string | undefined {
    return this.#text[this.#at]
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false
    this.#at += 1
    return true
  }

  #skipWhiteSpace(): void {
    this.#match(WHITE_SPACE)
  }

  /** What a sticky pattern matches here, consumed. */
  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)?.[0]
    if (match !== undefined) this.#at += match.length
    return match
  }
}
