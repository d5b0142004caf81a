import type { ValidationError } from './validation-error.ts'

/**
 * Turns input into a value, coercing as pydantic 2 does in its lax mode. What does not fit is added to `errors`, in
 * schema order, with `loc` relative to the input; the returned value counts only when nothing was added.
 */
export type Decoder<Value = unknown> = (input: unknown, errors: ValidationError[]) => Value
