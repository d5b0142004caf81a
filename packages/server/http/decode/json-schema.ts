import type { TSchema } from 'typebox'

/** The JSON Schema keywords that route schemas may use. TypeBox schemas are plain objects of these. */
export interface JsonSchema {
  readonly $id?: string
  readonly title?: string
  readonly description?: string
  readonly type?: string
  readonly const?: string
  readonly enum?: readonly string[]
  readonly anyOf?: readonly JsonSchema[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly items?: JsonSchema
  readonly default?: unknown
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly maxItems?: number
  /** See `free-text.ts`. */
  readonly 'x-free-text'?: boolean
}

/** A TypeBox schema as the JSON Schema that it is. */
export function anySchema(schema: TSchema): JsonSchema {
  return schema as JsonSchema
}
