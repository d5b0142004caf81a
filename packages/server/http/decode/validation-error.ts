import { redactTokens } from '@rescind/protocol'

/** One entry of a 422 answer, in the shape FastAPI gives it. `loc` starts with `body` or `query`. */
export interface ValidationError {
  readonly type: string
  readonly loc: (string | number)[]
  readonly msg: string
  readonly input: unknown
  readonly ctx?: Readonly<Record<string, string | number>>
}

/** What a 422 may repeat of the input: tokens redacted, and numbers that JSON has no word for spelt out. */
function echo(input: unknown): unknown {
  if (typeof input === 'string') return redactTokens(input)
  if (typeof input === 'number') return Number.isFinite(input) ? input : String(input)
  if (Array.isArray(input)) return input.map(echo)
  if (typeof input !== 'object' || input === null) return input
  const copy: Record<string, unknown> = Object.create(null)
  for (const [key, value] of Object.entries(input)) copy[redactTokens(key)] = echo(value)
  return copy
}

/** The 422 body. Inputs are at most as deep as a JSON body may be, so the recursion is bounded. */
export function validationBody(errors: readonly ValidationError[]): string {
  return JSON.stringify({ detail: errors.map((error) => ({ ...error, input: echo(error.input) })) })
}
